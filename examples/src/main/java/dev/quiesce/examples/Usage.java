package dev.quiesce.examples;

/** Tells how an example is started, if it was started in another way. */
final class Usage {
    private static final int WRONG_USAGE = 2;

    private Usage() {
    }

    /**
     * Ends the program unless it has as many arguments as it needs.
     *
     * @param example its main class
     * @param arguments what it was started with
     * @param names what it needs
     */
    static void check(Class<?> example, String[] arguments, String... names) {
        if (arguments.length != names.length) {
            System.err.println("usage: java -cp examples/target/quiesce.jar " + example.getName()
                    + (names.length == 0 ? "" : " " + String.join(" ", names)));
            System.exit(WRONG_USAGE);
        }
    }
}
