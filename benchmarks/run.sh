#!/usr/bin/env bash
#
# Measures, prints tables with ratios, and says which goals were met; ends with 1 if one was not,
# or something of ours allocates that must not, and with 2 if there was nothing to check.
#
#     benchmarks/run.sh loop [options of JMH]    the event loop against other loops
#     benchmarks/run.sh path [options of JMH]    the way of a request, rings, lanes
#     benchmarks/run.sh idle                     loops that have nothing to do
#
# Build first: ./mvnw -q -DskipTests -pl benchmarks -am package. JAVA_HOME chooses the JDK. Options
# of JMH go to every run, such as -f 1 -i 3 -r 200ms for a quick look; with -p contender=... the goals
# are checked whose contenders are all there, and the others named. Contenders take turns: in each
# of -f rounds (default: 3) every one has one fork, since the machine may be another a minute later.
# Round trips on one core keep their warm-up, whatever -wi and -w say: the compiler shares that core.
# Results are kept, as JMH writes them, one file a round, in benchmarks/target/results.

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

# JMH runs all forks of a contender one after another and has no option to let them take turns. So
# the rounds are here, and -f is taken out of its options.
rounds=3
forks=1
goals=--goals
options=()
warmup=()
while (($# > 0)); do
    case $1 in
        -f) rounds=${2:-}; (($# < 2)) || shift ;;
        -f[0-9]*) rounds=${1#-f} ;;
        -wi|-w) warmup+=("$1" "${2:-}"); (($# < 2)) || shift ;;
        *) options+=("$1") ;;
    esac
    [[ $1 != *contender=* ]] || goals=--goals-of-some
    shift
done
[[ $rounds =~ ^(0|[1-9][0-9]*)$ ]] || { echo "-f $rounds: expected a number of forks" >&2; exit 2; }
((rounds > 0)) || { rounds=1; forks=0; } # None: in JMH's own JVM, once.

# forget NAME: takes the results of the last run away, which may have had more rounds.
forget() {
    rm -f "$results/$1".json "$results/$1".log "$results/$1".[0-9]*.{json,log}
}

# jmh ROUND NAME PREFIX REGEX [OPTION...]: one fork of every contender, its result in NAME.ROUND.json.
jmh() {
    local name=$2.$1 prefix=$3 regex=$4
    shift 4
    $prefix "$java" -jar $jar "$regex" -prof gc -foe true -jvmArgsAppend "$quiet" \
        -rf json -rff "$results/$name.json" -o "$results/$name.log" \
        "${options[@]}" "$@" -f "$forks"
}

# measured NAME [PLACEMENT=]: the results of all rounds, as Report wants them named.
measured() {
    local round
    for ((round = 1; round <= rounds; round++)); do
        echo "${2:-}$results/$1.$round.json"
    done
}

report() {
    "$java" -cp $jar dev.quiesce.benchmarks.report.Report "$@"
}

echo "JDK $version, $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
case $suite in
    loop)
        forget loop && forget unpinned && forget pinned
        for ((round = 1; round <= rounds; round++)); do
            jmh $round loop "" 'benchmarks\.loop\.(Reschedule|HandOver)Benchmark' "${warmup[@]}"
            jmh $round unpinned "" 'benchmarks\.loop\.RoundTripBenchmark' "${warmup[@]}"
            jmh $round pinned "taskset -c 0" 'benchmarks\.loop\.RoundTripBenchmark'
        done
        report $goals $(measured loop) $(measured unpinned unpinned=) $(measured pinned pinned=)
        ;;
    path)
        forget path
        for ((round = 1; round <= rounds; round++)); do
            jmh $round path "" 'benchmarks\.path\.|LaneBenchmark' "${warmup[@]}"
        done
        report $(measured path)
        ;;
    idle)
        "$java" "$quiet" -cp $jar dev.quiesce.benchmarks.idle.IdleCost
        ;;
    *)
        sed -n '3,16s/^# \{0,1\}//p' run.sh >&2
        exit 2
        ;;
esac
