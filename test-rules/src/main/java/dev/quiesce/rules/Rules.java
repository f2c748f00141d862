package dev.quiesce.rules;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Holds the repeated {@link Rule} annotations of one test.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface Rules {
    /**
     * The rules, in the order in which they were written.
     *
     * @return the rules
     */
    Rule[] value();
}
