package dev.quiesce.examples.daemon.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the value of an option becomes arguments. */
class OptionTextTest {
    @Test
    void shouldReadPairs() {
        Arguments arguments = parse("driver=file,node-name=disk0,read-only=on,size=4k,lun=7");

        assertThat(arguments.string("driver")).isEqualTo("file");
        assertThat(arguments.string("node-name")).isEqualTo("disk0");
        assertThat(arguments.bool("read-only", false)).isTrue();
        assertThat(arguments.size("size")).isEqualTo(4096);
        assertThat(arguments.integer("lun", 0, 10, 0)).isEqualTo(7);
        arguments.finish();
    }

    @Test
    void shouldGiveTheFirstPieceWithoutAKeyToTheOptionsOwnKey() {
        assertThat(parse("file,node-name=a").string("driver")).isEqualTo("file");
    }

    @Test
    void shouldTakeADoubledCommaForACommaOfTheValue() {
        assertThat(parse("driver=file,filename=a,,b,,,,c,x=y").string("filename"))
                .isEqualTo("a,b,,c");
    }

    @Test
    void shouldSplitAtTheFirstEqualsSignOnly() {
        assertThat(parse("driver=file,filename=a=b=c").string("filename")).isEqualTo("a=b=c");
    }

    @Test
    void shouldMakePartsOfDotsAndListsOfNumbers() {
        Arguments arguments = parse("a.b.c=1,list.1=y,list.0=x,objects.0.name=n");

        assertThat(arguments.object("a").object("b").string("c")).isEqualTo("1");
        assertThat(arguments.strings("list")).containsExactly("x", "y");
        assertThat(arguments.objects("objects").get(0).string("name")).isEqualTo("n");
    }

    @Test
    void shouldMakeAListOfAKeyThatMayBeRepeated() {
        Arguments arguments = OptionText.parse("type=t,n=a,n=b,n=c", "type", Set.of("n"));

        assertThat(arguments.strings("n")).containsExactly("a", "b", "c");
    }

    @Test
    void shouldReadJsonWithTypes() {
        Arguments arguments = parse("{\"size\": 4096, \"on\": true, \"list\": [\"a\"], \"o\": {}}");

        assertThat(arguments.size("size")).isEqualTo(4096);
        assertThat(arguments.bool("on", false)).isTrue();
        assertThat(arguments.strings("list")).containsExactly("a");
        assertThat(arguments.isObject("o")).isTrue();
        arguments.finish();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "driver=file,read-only    | 'read-only' has no value: expected read-only=VALUE",
        "driver=a,driver=b        | parameter 'driver' is given twice: 'a' and 'b'",
        "a=1,a.b=2                | parameter 'a.b': 'a' has a value already",
        "a.b=2,a=1                | parameter 'a' has parts already",
        "a..b=1                   | 'a..b' is no parameter",
        "=x                       | '' is no parameter",
        "list.1=x                 | parameter 'list.0' is missing: lists are numbered from 0",
        "0=x                      | a list, where parameters with names are expected",
        "driver=file,             | expected KEY=VALUE",
        "{                        | malformed JSON: it ends before the object does",
        "{\"a\":[1               | malformed JSON: it ends before the object does",
        "{} {}                    | malformed JSON: there is something behind the object",
        "{\"a\":1,\"a\":2}        | malformed JSON at column",
    })
    void shouldSayWhatIsWrongWithAText(String text, String complaint) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(WrongOptionException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void shouldComplainOfAnEmptyText() {
        assertThatThrownBy(() -> parse("")).hasMessageContaining("expected KEY=VALUE");
    }

    @Test
    void shouldNotReadJsonOfAnyDepth() {
        String deep = "{\"a\":".repeat(5000) + "1" + "}".repeat(5000);

        assertThatThrownBy(() -> parse(deep)).isInstanceOf(WrongOptionException.class)
                .hasMessage("malformed JSON: more than 64 levels deep, a number of more than 1000"
                        + " digits, or a name of more than 50000 characters");
    }

    private static Arguments parse(String text) {
        return OptionText.parse(text, "driver", Set.of());
    }
}
