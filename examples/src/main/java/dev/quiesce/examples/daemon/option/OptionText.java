package dev.quiesce.examples.daemon.option;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Reads the value of an option: {@code key=value,key=value,...} or a JSON object.
 *
 * <p>In the first form a comma in a value is written twice; a first piece without {@code =} is the
 * value of the option's own implied key; dots make objects of objects, and numbers from 0 on behind
 * a dot make lists. Some keys may be given several times, which makes a list as well.
 */
public final class OptionText {
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*");
    private static final Pattern INDEX = Pattern.compile("0|[1-9][0-9]{0,5}");

    private final String impliedKey;
    private final Set<String> repeatableKeys;
    private final ObjectNode root = JsonNodeFactory.instance.objectNode();

    private OptionText(String impliedKey, Set<String> repeatableKeys) {
        this.impliedKey = impliedKey;
        this.repeatableKeys = repeatableKeys;
    }

    /**
     * Reads a text.
     *
     * @param text what stood behind the option
     * @param impliedKey the key of a first piece that has none
     * @param repeatableKeys keys that may be given several times
     * @return the arguments
     * @throws WrongOptionException if the text has neither form
     */
    public static Arguments parse(String text, String impliedKey, Set<String> repeatableKeys) {
        if (text.stripLeading().startsWith("{")) {
            return Arguments.ofJson(JsonText.parseObject(text));
        }
        OptionText option = new OptionText(impliedKey, repeatableKeys);
        List<String> pieces = pieces(text);
        for (int i = 0; i < pieces.size(); i++) {
            option.add(pieces.get(i), i == 0);
        }
        return Arguments.ofText((ObjectNode) withLists(option.root, ""));
    }

    /** Splits at single commas; a double one is a comma of the value. */
    private static List<String> pieces(String text) {
        List<String> out = new ArrayList<>();
        StringBuilder piece = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != ',') {
                piece.append(text.charAt(i));
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                piece.append(',');
                i++;
            } else {
                out.add(piece.toString());
                piece.setLength(0);
            }
        }
        out.add(piece.toString());
        return out;
    }

    private void add(String piece, boolean first) {
        int equals = piece.indexOf('=');
        if (equals >= 0) {
            put(piece.substring(0, equals), piece.substring(equals + 1));
        } else if (first && !piece.isEmpty()) {
            put(impliedKey, piece);
        } else {
            throw new WrongOptionException(piece.isEmpty()
                    ? "there is nothing between two commas, or before or behind one:"
                            + " expected KEY=VALUE (a comma in a value is written twice)"
                    : "'" + piece + "' has no value: expected " + piece + "=VALUE");
        }
    }

    private void put(String key, String value) {
        if (!KEY.matcher(key).matches()) {
            throw new WrongOptionException("'" + key + "' is no parameter: letters, digits, '-' and"
                    + " '_', parts separated by dots");
        }
        String[] parts = key.split("\\.", -1);
        ObjectNode at = root;
        for (int i = 0; i < parts.length - 1; i++) {
            JsonNode below = at.get(parts[i]);
            if (below == null) {
                below = at.putObject(parts[i]);
            } else if (!below.isObject()) {
                throw new WrongOptionException("parameter '" + key + "': '" + parts[i]
                        + "' has a value already, so it has no parts");
            }
            at = (ObjectNode) below;
        }
        putLast(at, parts[parts.length - 1], key, value);
    }

    private void putLast(ObjectNode at, String part, String key, String value) {
        JsonNode before = at.get(part);
        if (before == null) {
            at.put(part, value);
        } else if (before.isObject()) {
            throw new WrongOptionException("parameter '" + key + "' has parts already, so it has"
                    + " no value: '" + value + "'");
        } else if (!repeatableKeys.contains(key)) {
            throw new WrongOptionException("parameter '" + key + "' is given twice: '"
                    + before.asText() + "' and '" + value + "'");
        } else if (before instanceof ArrayNode list) {
            list.add(value);
        } else {
            at.putArray(part).add(before).add(value);
        }
    }

    /** Objects whose keys are numbers become lists. */
    private static JsonNode withLists(ObjectNode object, String path) {
        for (Map.Entry<String, JsonNode> each : List.copyOf(object.properties())) {
            if (each.getValue() instanceof ObjectNode below) {
                object.set(each.getKey(), withLists(below, path + each.getKey() + "."));
            }
        }
        boolean numbers = !object.isEmpty();
        Map<Integer, JsonNode> elements = new TreeMap<>();
        for (Map.Entry<String, JsonNode> each : object.properties()) {
            numbers &= INDEX.matcher(each.getKey()).matches();
            if (numbers) {
                elements.put(Integer.valueOf(each.getKey()), each.getValue());
            }
        }
        return numbers ? list(elements, path) : object;
    }

    private static ArrayNode list(Map<Integer, JsonNode> elements, String path) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Map.Entry<Integer, JsonNode> each : elements.entrySet()) {
            if (each.getKey() != list.size()) {
                throw new WrongOptionException("parameter '" + path + list.size()
                        + "' is missing: lists are numbered from 0 without gaps");
            }
            list.add(each.getValue());
        }
        if (path.isEmpty()) {
            throw new WrongOptionException("a list, where parameters with names are expected");
        }
        return list;
    }
}
