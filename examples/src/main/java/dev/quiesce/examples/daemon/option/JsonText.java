package dev.quiesce.examples.daemon.option;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** JSON as people and programs type it, read strictly. */
public final class JsonText {
    private static final int DEPTH_MAX = 64;
    private static final int DIGITS_MAX = 1000;
    private static final int NAME_CHARS_MAX = 50_000;
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(DEPTH_MAX)
                                    .maxNumberLength(DIGITS_MAX)
                                    .maxNameLength(NAME_CHARS_MAX).build())
                    .build())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private JsonText() {
    }

    /**
     * Reads one object and nothing else.
     *
     * @param text the JSON
     * @return the object
     * @throws WrongOptionException if it is no JSON, or no object
     */
    public static ObjectNode parseObject(String text) {
        JsonNode node;
        try {
            node = MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new WrongOptionException("malformed JSON" + wordsFor(e));
        } catch (NumberFormatException | ArithmeticException e) {
            // The parser leaves it to BigDecimal to say so.
            throw new WrongOptionException("malformed JSON: a number's exponent is too large");
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new WrongOptionException("malformed JSON: expected an object, not "
                + Arguments.typeOf(node));
    }

    /**
     * Writes JSON on one line.
     *
     * @param node what to write
     * @return the text, without a line's end
     */
    public static String write(JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of plain values was not written", e);
        }
    }

    /** In our words, where the parser speaks of its own classes and settings. */
    private static String wordsFor(JsonProcessingException e) {
        if (e instanceof JsonEOFException) {
            return ": it ends before the object does";
        }
        if (e instanceof MismatchedInputException) {
            return ": there is something behind the object";
        }
        if (e instanceof StreamConstraintsException) {
            return ": more than " + DEPTH_MAX + " levels deep, a number of more than " + DIGITS_MAX
                    + " digits, or a name of more than " + NAME_CHARS_MAX + " characters";
        }
        String where = e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
        return where + ": " + e.getOriginalMessage().lines().findFirst().orElse("");
    }
}
