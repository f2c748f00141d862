#!/usr/bin/env bash
#
# Measures, prints tables with ratios, and says which goals were met; ends with 1 if one was not.
#
#     benchmarks/run.sh loop [options of JMH]    the event loop against other loops
#     benchmarks/run.sh path [options of JMH]    the way of a request, rings, lanes
#     benchmarks/run.sh idle                     loops that have nothing to do
#
# Build first: ./mvnw -q -DskipTests -pl benchmarks -am package. JAVA_HOME chooses the JDK. Options
# of JMH go to every run, such as -f 1 -i 3 -r 200ms for a quick look. Results are kept, as JMH
# writes them, in benchmarks/target/results.

set -euo pipefail
cd "$(dirname "$0")"

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
jar=target/benchmarks.jar
quiet=-Dslf4j.internal.verbosity=ERROR
suite=${1:-}
shift || true

[[ -f $jar ]] || { echo "build first: ./mvnw -q -DskipTests -pl benchmarks -am package" >&2; exit 2; }

version=$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.specification.version = //p')
results=target/results/jdk$version
mkdir -p "$results"

# jmh NAME PREFIX REGEX OPTIONS...: one run, its result in NAME.json.
jmh() {
    local name=$1 prefix=$2 regex=$3
    shift 3
    $prefix "$java" -jar $jar "$regex" -prof gc -foe true -jvmArgsAppend "$quiet" \
        -rf json -rff "$results/$name.json" -o "$results/$name.log" "$@"
}

report() {
    "$java" -cp $jar dev.quiesce.benchmarks.report.Report "$@"
}

echo "JDK $version, $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
case $suite in
    loop)
        jmh loop "" 'benchmarks\.loop\.(Reschedule|HandOver)Benchmark' "$@"
        jmh unpinned "" 'benchmarks\.loop\.RoundTripBenchmark' "$@"
        jmh pinned "taskset -c 0" 'benchmarks\.loop\.RoundTripBenchmark' "$@"
        report --goals "$results/loop.json" \
            "unpinned=$results/unpinned.json" "pinned=$results/pinned.json"
        ;;
    path)
        jmh path "" 'benchmarks\.path\.|LaneBenchmark' "$@"
        report "$results/path.json"
        ;;
    idle)
        "$java" "$quiet" -cp $jar dev.quiesce.benchmarks.idle.IdleCost
        ;;
    *)
        sed -n '3,12s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
