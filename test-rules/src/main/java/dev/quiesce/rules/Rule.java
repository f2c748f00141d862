package dev.quiesce.rules;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Cites a rule of the specification, such as {@code DRAIN-9}, on the test that proves it.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
@Repeatable(Rules.class)
public @interface Rule {
    /**
     * The rule's number as the specification spells it.
     *
     * @return the rule's number
     */
    String value();
}
