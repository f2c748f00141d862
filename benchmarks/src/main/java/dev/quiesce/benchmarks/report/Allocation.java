package dev.quiesce.benchmarks.report;

import java.util.List;

/**
 * What the garbage collector's profiler of JMH saw, on all threads: those of the benchmark and
 * JMH's own.
 *
 * @param iterations how many were counted
 * @param bytesPerOperation what it saw in them, divided by their operations
 * @param bytesPerIteration what it saw in one of them, on average
 */
record Allocation(int iterations, double bytesPerOperation, double bytesPerIteration) {
    /** No object is smaller than 16: this is one in so many operations that it may be JMH's. */
    private static final double OPERATION_MIN = 1;

    /*
     * JMH's own threads allocated 5.5 to 7 KB in most iterations of either 250 ms or a second, and
     * up to 22 KB, whatever was measured. One smallest object for each operation of 30 us is 133 KB
     * in 250 ms. So this is between them, three times the one and half of the other.
     */
    private static final double ITERATION_MIN = 64 * 1024;

    /**
     * What was seen in one fork. Its last iteration is left out, if there are others: in it the
     * benchmark is torn down, and closing loops, pools and files took up to 300 KB.
     *
     * @param perOperation the bytes per operation of each iteration
     * @param perIteration the bytes of each iteration
     */
    static Allocation ofFork(List<Double> perOperation, List<Double> perIteration) {
        int counted = Math.max(1, perOperation.size() - 1);
        return new Allocation(counted, average(perOperation, counted),
                average(perIteration, counted));
    }

    private static double average(List<Double> all, int counted) {
        return all.stream().limit(counted).mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /** The same with what was seen in other iterations of the same. */
    Allocation and(Allocation other) {
        int all = iterations + other.iterations;
        return new Allocation(all,
                (bytesPerOperation * iterations + other.bytesPerOperation * other.iterations) / all,
                (bytesPerIteration * iterations + other.bytesPerIteration * other.iterations)
                        / all);
    }

    /** Whether that is more than JMH takes for itself, so that operations allocate. */
    boolean isByOperations() {
        return bytesPerOperation >= OPERATION_MIN && bytesPerIteration > ITERATION_MIN;
    }
}
