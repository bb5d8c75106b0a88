# tools/stack.d/kafka.sh: the stack's Kafka 4.3.1, one KRaft node from its Maven artifacts. Sourced by
# tools/stack.

# shellcheck shell=bash

kafka_dir="$state_dir/kafka"
kafka_archive="$state_dir/kafka/classes.jsa"
kafka_version="$(sed -n 's/.*<version>\(4[^<]*\)<.*/\1/p' "$root/tools/stack.d/pom.xml" | head -n 1)"

kafka_download() {
  local from="$EPOCHREALTIME"
  [[ ! -e "$kafka_dir/lib-$kafka_version/complete" ]] || return 0
  say "fetching Kafka $kafka_version (about 55 MB, once)"
  rm -rf "$kafka_dir"/lib-* "$kafka_archive"
  # -f of a copy: Maven may write beside the pom.
  mkdir -p "$kafka_dir/pom"
  cp "$root/tools/stack.d/pom.xml" "$kafka_dir/pom/"
  if ! mvn -q -B -f "$kafka_dir/pom/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$kafka_dir/lib-$kafka_version" >"$log_dir/maven.log" 2>&1; then
    grep -m 1 ERROR "$log_dir/maven.log" >&2 || tail -n 5 "$log_dir/maven.log" >&2
    die 3 "Maven could not fetch Kafka (above; all of it is in $log_dir/maven.log). Is the network up," \
      "and does 'mvn' reach its repository? A mirror or proxy goes into ~/.m2/settings.xml."
  fi
  touch "$kafka_dir/lib-$kafka_version/complete"
  note "Kafka fetched in $(seconds_since "$from") s"
}

# The jars in a fixed order: the class archive is only good for the very same class path.
kafka_class_path() {
  printf '%s:' "$kafka_dir/lib-$kafka_version/"*.jar
}

kafka_java() { # ARGUMENT...; for the small tools
  java -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
    -Dlog4j2.configurationFile="$root/tools/stack.d/log4j2.properties" -cp "$(kafka_class_path)" "$@"
}

kafka_write_config() { # FILE DATA_DIRECTORY PORT CONTROLLER_PORT PORT_BEHIND_PROXY PROXIED_PORT
  cat >"$1" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$4
listeners=PLAINTEXT://127.0.0.1:$3,PROXIED://127.0.0.1:$5,CONTROLLER://127.0.0.1:$4
advertised.listeners=PLAINTEXT://127.0.0.1:$3,PROXIED://127.0.0.1:$6
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$2

# One node.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0

# A topic that nobody made is an error, as in production, and a deleted one does not come back.
auto.create.topics.enable=false

# Nobody has a name here, and everybody may do everything, but where a test has put an ACL.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true

# Back soon after a kill -9: the dead registration expires, and is looked for, sooner.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
controller.quorum.election.timeout.ms=300
controller.quorum.fetch.timeout.ms=600

# Recovery reads the newest segment of each partition again, so segments are small; indexes are sized
# for them, and deleted topics are gone from the disk soon.
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=4194304
EOF
}

# Everything up to the running process. The ports may have changed, so the settings are written anew.
kafka_prepare() {
  kafka_download
  mkdir -p "$kafka_dir"
  kafka_write_config "$kafka_dir/server.properties" "$kafka_dir/data" \
    "$SPILLWAY_STACK_KAFKA_PORT" "$SPILLWAY_STACK_CONTROLLER_PORT" \
    "$SPILLWAY_STACK_KAFKA_BEHIND_PROXY_PORT" "$SPILLWAY_STACK_PROXIED_KAFKA_PORT"
  if [[ ! -e "$kafka_dir/formatted" ]]; then
    rm -rf "$kafka_dir/data"
    kafka_format "$kafka_dir/server.properties" || server_failed kafka "its storage could not be formatted"
    touch "$kafka_dir/formatted"
  fi
}

# A cluster id is 16 random bytes in base64url; asking StorageTool for one costs a JVM.
kafka_format() { # CONFIG_FILE
  local id
  id="$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=')"
  kafka_java kafka.tools.StorageTool format -t "$id" -c "$1" >>"$log_dir/kafka.log" 2>&1
}

kafka_launch() {
  kafka_prepare
  [[ -e "$kafka_archive" ]] || kafka_make_archive
  kafka_run -XX:SharedArchiveFile="$kafka_archive"
}

# A broker that is killed and started again all day never reaches what the optimizing compiler would
# give it, and on two cores that compiler takes a third of one from it for the first ten seconds.
kafka_run() { # JVM_OPTION
  launch kafka java -Xms512m -Xmx1g -XX:-UsePerfData -XX:TieredStopAtLevel=1 "$1" \
    -Dlog4j2.configurationFile="$root/tools/stack.d/log4j2.properties" \
    -cp "$(kafka_class_path)" kafka.Kafka "$kafka_dir/server.properties"
}

# Once, 5 s: a start and an end that leave an archive of the loaded classes. Each later start is 0.6 s
# shorter (2.6 s instead of 3.2 after a kill -9), and a run of the fault tests has many.
# A JVM that cannot use the archive says so in the log and starts without.
kafka_make_archive() {
  kafka_run -XX:ArchiveClassesAtExit="$kafka_archive"
  wait_until kafka "$start_seconds_max" kafka_ready || server_failed kafka "its first start failed"
  end_server kafka
  touch "$kafka_archive"
}

# A metadata answer that lists the broker, and a leader for everything: after the port opens, produce
# still meets NOT_LEADER for a while.
kafka_ready() {
  local answer
  port_answers "$SPILLWAY_STACK_KAFKA_PORT" || return 1
  answer="$(kcat -b "127.0.0.1:$SPILLWAY_STACK_KAFKA_PORT" -L -m 1 2>/dev/null)" || return 1
  [[ "$answer" == *$'\n 1 brokers:'* && "$answer" != *"leader -1"* ]]
}

kafka_after_start() { :; }

kafka_stop_signal=TERM

kafka_wipe() { rm -rf "$kafka_dir/data" "$kafka_dir/formatted"; }
