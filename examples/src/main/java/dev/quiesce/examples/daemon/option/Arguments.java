package dev.quiesce.examples.daemon.option;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The named arguments of an option or command, read one by one by who expects them. When all were
 * read, {@link #finish} complains of those that nobody expected.
 *
 * <p>Arguments that came as text are converted: {@code on} and {@code off} to a truth value, digits
 * to a number, {@code 4G} to a size. Those that came as JSON must have the right type.
 */
public final class Arguments {
    private static final Set<String> TRUE = Set.of("on", "yes", "true", "y");
    private static final Set<String> FALSE = Set.of("off", "no", "false", "n");
    private static final Pattern INTEGER = Pattern.compile("(-?[0-9]{1,18})()");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})([bkKmMgGtTpP]?)");
    private static final String SIZE_UNITS = "bkmgtp";
    private static final int UNIT_BITS = 10;

    private final ObjectNode values;
    private final boolean text;
    private final String path;
    private final Set<String> expected = new TreeSet<>();

    private Arguments(ObjectNode values, boolean text, String path) {
        this.values = values;
        this.text = text;
        this.path = path;
    }

    /** Arguments whose values are all texts. */
    static Arguments ofText(ObjectNode values) {
        return new Arguments(values, true, "");
    }

    /**
     * Arguments with types of their own.
     *
     * @param values by name
     * @return the arguments
     */
    public static Arguments ofJson(ObjectNode values) {
        return new Arguments(values, false, "");
    }

    /**
     * Whether there is such an argument.
     *
     * @param key its name
     * @return true if it is given, and not null
     */
    public boolean has(String key) {
        return find(key) != null;
    }

    /**
     * A text that must be there, and not be empty.
     *
     * @param key its name
     * @return the text
     */
    public String string(String key) {
        String found = optionalString(key);
        if (found == null) {
            throw new WrongOptionException("parameter '" + path + key + "' is missing");
        }
        return found;
    }

    /**
     * A text that must be given, but may be null.
     *
     * @param key its name
     * @return the text, or null if that was given
     */
    public @Nullable String stringOrNull(String key) {
        if (!values.has(key)) {
            throw new WrongOptionException("parameter '" + path + key + "' is missing");
        }
        return optionalString(key);
    }

    /**
     * A text that may be missing.
     *
     * @param key its name
     * @return the text, or null
     */
    public @Nullable String optionalString(String key) {
        JsonNode found = find(key);
        if (found == null) {
            return null;
        }
        return text(key, found);
    }

    /**
     * One of several words.
     *
     * @param key its name
     * @param allowed the words; the first one is the default
     * @return the word
     */
    public String choice(String key, String... allowed) {
        String found = optionalString(key);
        if (found == null) {
            return allowed[0];
        }
        if (!List.of(allowed).contains(found)) {
            throw wrong(key, found, "one of " + String.join(", ", allowed));
        }
        return found;
    }

    /**
     * A truth value.
     *
     * @param key its name
     * @param missing what it is if it is not given
     * @return the value
     */
    public boolean bool(String key, boolean missing) {
        JsonNode found = find(key);
        if (found == null) {
            return missing;
        }
        if (found.isBoolean()) {
            return found.booleanValue();
        }
        String word = found.asText().toLowerCase(Locale.ROOT);
        if (!text || !found.isTextual() || !(TRUE.contains(word) || FALSE.contains(word))) {
            throw wrong(key, found, text ? "on or off" : "true or false");
        }
        return TRUE.contains(word);
    }

    /**
     * A whole number.
     *
     * @param key its name
     * @param least the smallest that is allowed
     * @param most the largest that is allowed
     * @param missing what it is if it is not given
     * @return the number
     */
    public long integer(String key, long least, long most, long missing) {
        JsonNode found = find(key);
        return found == null ? missing : integer(key, found, least, most);
    }

    private long integer(String key, JsonNode found, long least, long most) {
        Long number = number(found, text ? INTEGER : null);
        if (number == null || number < least || number > most) {
            throw wrong(key, found, most == Long.MAX_VALUE
                    ? "a whole number, at least " + least
                    : "a whole number from " + least + " to " + most);
        }
        return number;
    }

    /**
     * A number of bytes that must be there; as text it may have a unit, such as {@code 512M}.
     *
     * @param key its name
     * @return the number, not negative
     */
    public long size(String key) {
        if (!has(key)) {
            throw new WrongOptionException("parameter '" + path + key + "' is missing");
        }
        return size(key, 0);
    }

    /**
     * A number of bytes; as text it may have a unit, such as {@code 512M}.
     *
     * @param key its name
     * @param missing what it is if it is not given
     * @return the number, not negative
     */
    public long size(String key, long missing) {
        JsonNode found = find(key);
        if (found == null) {
            return missing;
        }
        Long number = number(found, text ? SIZE : null);
        if (number == null || number < 0) {
            throw wrong(key, found, text
                    ? "a number of bytes, or one with a unit of k, M, G, T or P"
                    : "a number of bytes");
        }
        return number;
    }

    /**
     * Texts: one, or a list of them.
     *
     * @param key their name
     * @return the texts, in order; empty if it is not given
     */
    public List<String> strings(String key) {
        JsonNode found = find(key);
        List<String> out = new ArrayList<>();
        if (found instanceof ArrayNode list) {
            for (int i = 0; i < list.size(); i++) {
                out.add(text(key + "." + i, list.get(i)));
            }
        } else if (found != null) {
            out.add(text(key, found));
        }
        return out;
    }

    /**
     * A list of whole numbers.
     *
     * @param key their name
     * @param least the smallest that is allowed
     * @param most the largest that is allowed
     * @return the numbers, in order; empty if it is not given
     */
    public List<Long> integers(String key, long least, long most) {
        JsonNode found = find(key);
        List<Long> out = new ArrayList<>();
        if (found instanceof ArrayNode list) {
            for (int i = 0; i < list.size(); i++) {
                out.add(integer(key + "." + i, list.get(i), least, most));
            }
        } else if (found != null) {
            throw wrong(key, found, "a list of whole numbers");
        }
        return out;
    }

    /**
     * A list of objects.
     *
     * @param key their name
     * @return the arguments of each, in order; empty if it is not given
     */
    public List<Arguments> objects(String key) {
        JsonNode found = find(key);
        List<Arguments> out = new ArrayList<>();
        if (found instanceof ArrayNode list) {
            for (int i = 0; i < list.size(); i++) {
                out.add(below(key + "." + i, list.get(i)));
            }
        } else if (found != null) {
            throw wrong(key, found, "a list of objects");
        }
        return out;
    }

    /**
     * Arguments with parts of their own.
     *
     * @param key their name
     * @return the parts
     */
    public Arguments object(String key) {
        JsonNode found = find(key);
        return below(key, found == null ? JsonNodeFactory.instance.objectNode() : found);
    }

    /**
     * Whether an argument has parts rather than a value.
     *
     * @param key its name
     * @return true if it is an object
     */
    public boolean isObject(String key) {
        return find(key) instanceof ObjectNode;
    }

    /**
     * Complains of the first argument that nobody asked for.
     *
     * @throws WrongOptionException naming it, and what is allowed
     */
    public void finish() {
        for (String name : (Iterable<String>) values::fieldNames) {
            if (!expected.contains(name)) {
                throw new WrongOptionException("unknown parameter '" + path + name + "'; "
                        + (expected.isEmpty() ? "there are none"
                                : "allowed are " + String.join(", ", expected)));
            }
        }
    }

    /**
     * A complaint of a value.
     *
     * @param key the argument
     * @param allowed what is allowed, to follow "expected"
     * @return to be thrown
     */
    public WrongOptionException unsuitable(String key, String allowed) {
        JsonNode found = find(key);
        return wrong(key, found == null ? JsonNodeFactory.instance.nullNode() : found, allowed);
    }

    static String typeOf(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "a list";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a truth value";
            default -> "nothing";
        };
    }

    private @Nullable JsonNode find(String key) {
        expected.add(key);
        JsonNode found = values.get(key);
        return found == null || found.isNull() ? null : found;
    }

    private String text(String key, JsonNode found) {
        if (!found.isTextual() || found.textValue().isEmpty()) {
            throw wrong(key, found, "a string that is not empty");
        }
        return found.textValue();
    }

    private Arguments below(String key, JsonNode found) {
        if (found instanceof ObjectNode object) {
            return new Arguments(object, text, path + key + ".");
        }
        throw wrong(key, found, text ? key + ".PART=VALUE" : "an object");
    }

    /** Of a number, or of a text that has the form; null if it is neither, or too large. */
    private static @Nullable Long number(JsonNode found, @Nullable Pattern form) {
        if (found.isIntegralNumber() && found.canConvertToLong()) {
            return found.longValue();
        }
        Matcher matcher = form == null ? null : form.matcher(found.asText());
        if (matcher == null || !(found instanceof TextNode) || !matcher.matches()) {
            return null;
        }
        long number = Long.parseLong(matcher.group(1));
        int unit = matcher.group(2).isEmpty()
                ? 0 : SIZE_UNITS.indexOf(Character.toLowerCase(matcher.group(2).charAt(0)));
        long scaled = number << (UNIT_BITS * unit);
        boolean fits = scaled >> (UNIT_BITS * unit) == number && (scaled >= 0) == (number >= 0);
        return fits ? scaled : null;
    }

    private WrongOptionException wrong(String key, String found, String allowed) {
        return wrong(key, JsonNodeFactory.instance.textNode(found), allowed);
    }

    private WrongOptionException wrong(String key, JsonNode found, String allowed) {
        String shown = found.isTextual() ? "'" + found.textValue() + "'"
                : found.isValueNode() ? found.asText() : typeOf(found);
        return new WrongOptionException(
                "parameter '" + path + key + "': expected " + allowed + ", not " + shown);
    }
}
