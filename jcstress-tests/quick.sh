#!/usr/bin/env bash
#
# A quick pass of the concurrency tests. Usage: quick.sh [REGEXP]
#
# Runs every test of jcstress.jar (or those that match) for about a second and prints a table. Fails
# if a Model or Actual shows a forbidden outcome or an error, and also if the failure of a Broken
# twin was not seen: a test that cannot fail proves nothing. A twin that stays unseen gets longer
# runs before it counts as a failure; not-shown-here.txt excuses those that this processor cannot
# show. JAVA_HOME chooses the JDK.

set -euo pipefail
cd "$(dirname "$0")"

pattern=${1:-.}
jar=target/jcstress.jar
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
out=target/quick
excused=$(awk -v arch="$(uname -m)" '$1 == arch { print $2 }' not-shown-here.txt)

build() {
    local newer
    if [[ -e $jar ]]; then
        newer=$(find pom.xml src ../pom.xml \
            ../{core,scsi,virtio,vhost-user}/{pom.xml,src/main} -newer "$jar" -print -quit)
        [[ -n $newer ]] || return 0
    fi
    echo "building $jar"
    (cd .. && ./mvnw -q -pl jcstress-tests -am -DskipTests package)
}

# pass MILLISECONDS ITERATIONS REGEXP: runs the tests, adds their outcomes to the list.
pass() {
    local log=$out/log-$1-$2
    # jcstress exits with a failure for a forbidden outcome; the table decides.
    (cd "$out" && "$java" -jar ../jcstress.jar -m quick -v -f 1 -sc false -time "$1" -iters "$2" \
        -t "$3" -jvmArgs "-ea -Dslf4j.internal.verbosity=ERROR") >"$log" 2>&1 || true
    if ! grep -q '^RUN RESULTS' "$log"; then
        tail -20 "$log"
        echo "jcstress did not finish; all of it is in jcstress-tests/$log" >&2
        exit 1
    fi
    outcomes <"$log" >>"$out/outcomes"
}

# Of the final report: one line for each test and outcome, "TEST VERDICT EXPECTED SAMPLES OUTCOME".
outcomes() {
    awk '
        /^RUN RESULTS/ { report = 1 }
        !report { next }
        /^\.+ \[.*\] / {
            test = $NF
            sub(/^dev\.quiesce\.[a-z.]*/, "", test)
            verdict = $2
            gsub(/[\[\]]/, "", verdict)
            print test, verdict, "-", 0, "-"
        }
        / (Acceptable|Interesting|Forbidden|Unknown)  / {
            line = $0
            match(line, / (Acceptable|Interesting|Forbidden|Unknown)  /)
            expected = substr(line, RSTART + 1, RLENGTH - 3)
            n = split(substr(line, 1, RSTART), word, " ")
            samples = word[n - 1]
            gsub(/,/, "", samples)
            outcome = word[1]
            for (i = 2; i < n - 1; i++) outcome = outcome " " word[i]
            print test, verdict, expected, samples, outcome
        }'
}

# The Broken twins whose failure was not seen so far.
unseen() {
    awk -v excused="$excused" '
        BEGIN { split(excused, list); for (i in list) excuse[list[i]] }
        $1 ~ /[._$]Broken/ && !($1 in excuse) { twins[$1] }
        $3 == "Interesting" && $4 > 0 { seen[$1] }
        END { for (t in twins) if (!(t in seen)) print t }' "$out/outcomes"
}

table() {
    awk -v excused="$excused" '
        function question(test) { sub(/[._$](Model|Broken|Actual).*/, "", test); return test }
        function kind(test) {
            if (!match(test, /[._$](Model|Broken|Actual)/)) return "?"
            return substr(test, RSTART + 1, RLENGTH - 1)
        }
        BEGIN { split(excused, list); for (i in list) excuse[list[i]] }
        !($1 in known) { known[$1]; q = question($1); if (!(q in asked)) { asked[q]; order[++n] = q } }
        $2 != "OK" && $3 == "-" { bad[$1] = bad[$1] " " $2 }
        $3 == "Interesting" && $4 > 0 { seen[$1] }
        $4 > 0 && ($3 == "Forbidden" || $3 == "Unknown") { bad[$1] = bad[$1] " (" $5 " " $6 " " $7 ") " $4 " times" }
        END {
            for (t in known) {
                q = question(t); k = kind(t); all[q, k]++
                if (k == "?") { failed = 1; print t ": neither Model nor Broken nor Actual" }
                if (t in bad) { failed = 1; print t ":" bad[t] } else good[q, k]++
                if (k == "Broken" && t in seen) shown[q]++
                else if (k == "Broken" && t in excuse) excusedIn[q]++
                else if (k == "Broken") { failed = 1; print t ": the failure was not seen" }
            }
            printf "\n%-40s %-8s %-34s %-8s\n", "question", "model", "broken: failure seen", "actual"
            for (i = 1; i <= n; i++) {
                q = order[i]
                b = (shown[q] + 0) " of " (all[q, "Broken"] + 0)
                if (excusedIn[q]) b = b ", " excusedIn[q] " cannot show here"
                printf "%-40s %-8s %-34s %-8s\n", q, state(q, "Model"), b, state(q, "Actual")
                if (!all[q, "Model"] || !all[q, "Broken"] || !all[q, "Actual"]) {
                    failed = 1; print q " needs a Model, a Broken twin and an Actual"
                }
            }
            exit failed || n == 0
        }
        function state(q, k) { return good[q, k] == all[q, k] ? "ok (" all[q, k] + 0 ")" : "FAILS" }
    ' "$out/outcomes"
}

build
rm -rf "$out"
mkdir -p "$out"
pass 150 4 "$pattern"
for longer in 500 1500 5000; do
    missing=$(unseen)
    [[ -n $missing ]] || break
    echo "not seen yet, running longer:" $missing
    pass "$longer" 6 "($(tr '\n' '|' <<<"$missing" | sed 's/|$//; s/[.$]/\\&/g'))\$"
done
table || { echo "FAILED; the whole report is in jcstress-tests/$out" >&2; exit 1; }
