/* tests/model/lane.pml: one stream through an outage: lane, writer, relay, and Kafka.
 *
 * What design §5 says of hold, release, return and recall, small enough to be walked whole. Records
 * are their seqs, 1 to RECORDS. Every step that another process could see in the middle is a step of
 * its own. Postgres is always there, and nobody dies but the relay; the README says what is left out.
 *
 * Built with one of these, the model is wrong in one place, and a property must fail:
 *   PURGE         a lane that trips takes its records back, and takes them for not sent
 *   RELAY_EARLY   the relay does not wait for the release
 *   RETURN_EARLY  the lane does not wait for the relay
 *   NO_MARK       what a fatal producer may have sent goes to the outbox without a mark
 */

#ifndef RECORDS
#define RECORDS 3
#endif
#if RECORDS == 3
#define any(array, value) (array[1] == value || array[2] == value || array[3] == value)
#else
#define any(array, value) \
  (array[1] == value || array[2] == value || array[3] == value || array[4] == value)
#endif
/* Held, and neither reported nor asked to be copied. */
#define uncopied(seq) (place[seq] == in_window && !copied[seq] && outcome[seq] == owed)
#if RECORDS == 3
#define all_copied (!uncopied(1) && !uncopied(2) && !uncopied(3))
#else
#define all_copied (!uncopied(1) && !uncopied(2) && !uncopied(3) && !uncopied(4))
#endif
#ifndef TRIPS
#define TRIPS 2
#endif
#define OUTAGES 1
#define RETREATS 1

mtype:lane = { direct, spilling, returning, recalling };
mtype:place = { unpublished, backlog, in_window, handed_on };
mtype:client = { absent, queued, appended };
mtype:row = { none, held, plain };
mtype:outcome = { owed, delivered, not_persisted, possibly };
mtype:job = { write, release };
mtype:relay = { idle, has_read, has_sent };

/* The lane. */
mtype:lane state = spilling;
mtype:place place[RECORDS + 1] = unpublished;
mtype:outcome outcome[RECORDS + 1] = owed;
bool marked[RECORDS + 1];  /* its next sending may be a second one */
bool copied[RECORDS + 1];  /* a held copy was asked for */
bool holding, release_asked, touched;
byte asked;                /* of the writer, and not yet done */
byte trips, retreats;

/* Its producer; what an earlier one had in Kafka's hands. */
mtype:client client[RECORDS + 1] = absent;
bool fatal, was_fatal;
bool late[RECORDS + 1], late_mark[RECORDS + 1];

/* Kafka. */
bool up = true;
byte outages;
byte copies[RECORDS + 1], marks[RECORDS + 1];
byte highest;

/* The outbox, and the relay. */
mtype:row row[RECORDS + 1] = none;
bool row_mark[RECORDS + 1];
mtype:relay relay = idle;
byte current;
bool relay_died;

chan jobs = [RECORDS + 1] of { mtype:job, byte, bool };
chan reports = [2 * RECORDS + 2] of { mtype:job, byte, bool };

byte n;      /* of loops in a step: nobody sees it move */
bool cut;

/* tests/unit/core/lane_model_test.cpp holds every use of it against core/lane_states. */
inline move(from, to) { assert(state == from); state = to }

/* What the topic shows: order (P3), and no copy that no mark explains (P8). */
inline append(seq, mark) {
  if
  :: copies[seq] == 0 -> assert(seq > highest); highest = seq
  :: else
  fi;
  copies[seq]++;
  marks[seq] = marks[seq] + mark;
  assert(copies[seq] <= 1 + marks[seq])
}

#define lowest(found, array, value)                              \
  found = 0;                                                     \
  for (n : 1 .. RECORDS) {                                       \
    if :: found == 0 && array[n] == value -> found = n :: else fi \
  }                                                              \
  n = 0

active proctype Publisher() {
  byte seq = 1;
end:
  do
  :: atomic { seq <= RECORDS -> place[seq] = backlog; seq++ }
  od
}

active proctype Brokers() {
end:
  do
  :: atomic { up && outages < OUTAGES -> up = false; outages++ }
  :: !up -> up = true
  od
}

/* Left alone it sends once, in order, when it can; it may turn fatal once. */
active proctype Producer() {
  byte seq;
end:
  do
  :: atomic { up && !fatal && any(client, queued) ->
       lowest(seq, client, queued);
       append(seq, marked[seq]);
       client[seq] = appended; seq = 0 }
  :: atomic { up && any(client, appended) ->
       lowest(seq, client, appended);
       client[seq] = absent; outcome[seq] = delivered; seq = 0 }
  :: atomic { !was_fatal && (any(client, queued) || any(client, appended)) ->
       fatal = true; was_fatal = true }
  od
}

/* Requests that outlived their producer: Kafka takes them in order, or refuses one and all behind. */
active proctype Wire() {
  byte seq;
end:
  do
  :: atomic { up && any(late, true) ->
       lowest(seq, late, true);
       late[seq] = false;
       append(seq, late_mark[seq]); seq = 0 }
  :: atomic { any(late, true) ->
       for (n : 1 .. RECORDS) { late[n] = false } n = 0 }
  od
}

/* A purge: what is with the client is reported; what a broker may have in its hands can still land. */
inline purge() {
  cut = false;
  for (n : 1 .. RECORDS) {
    if
    :: client[n] == appended -> outcome[n] = possibly
    :: client[n] == queued && !cut -> outcome[n] = possibly; late[n] = true; late_mark[n] = marked[n]
    :: client[n] == queued -> outcome[n] = not_persisted; cut = true
    :: else
    fi;
    client[n] = absent
  }
  n = 0; cut = false
}

inline to_outbox(seq, is_held) {
  touched = true;
  asked++;
  jobs!write(seq, is_held)
}

inline hold() {
#ifdef PURGE
  purge();
  for (n : 1 .. RECORDS) {
    if
    :: place[n] == in_window && outcome[n] == delivered -> place[n] = handed_on
    :: place[n] == in_window && outcome[n] != delivered -> place[n] = backlog; outcome[n] = owed
    :: else
    fi
  }
  n = 0
#else
  holding = any(place, in_window)
#endif
}

#define all_reported (!any(client, queued) && !any(client, appended))
#define no_rows (!any(row, held) && !any(row, plain))
#ifdef RETURN_EARLY
#define drained (asked == 0)
#else
#define drained (asked == 0 && no_rows)
#endif

/* With every report in: what has no copy is decided here, the rest by the release. */
inline resolve() {
  for (n : 1 .. RECORDS) {
    if
    :: place[n] == in_window && !copied[n] && outcome[n] == delivered -> place[n] = handed_on
    :: place[n] == in_window && !copied[n] && outcome[n] != delivered ->
         place[n] = backlog;
#ifndef NO_MARK
         marked[n] = marked[n] || outcome[n] == possibly;
#endif
         outcome[n] = owed
    :: else
    fi
  }
  n = 0;
  if
  :: any(copied, true) -> release_asked = true; asked++; jobs!release(0, false)
  :: else -> holding = false
  fi
}

active proctype Lane() {
  byte seq;
  bool is_held;
end:
  do
  /* Direct. */
  :: atomic { state == direct && fatal -> move(direct, recalling); trips++; holding = true; purge() }
  :: atomic { state == direct && !fatal && trips < TRIPS -> move(direct, spilling); trips++; hold() }
  :: atomic { state == direct && !fatal && up && any(place, backlog) ->
       lowest(seq, place, backlog);
       assert(no_rows && asked == 0);  /* nothing is overtaken (P15) */
       place[seq] = in_window; client[seq] = queued; seq = 0 }
  :: atomic { state == direct && !holding && any(outcome, delivered) && any(place, in_window) ->
       for (n : 1 .. RECORDS) {
         if :: place[n] == in_window && outcome[n] == delivered -> place[n] = handed_on
         :: else fi
       }
       n = 0;
       for (n : 1 .. RECORDS) {
         if :: place[n] == handed_on -> outcome[n] = owed :: else fi
       }
       n = 0 }

  /* Recalling: a record whose report is missing may still be appended. */
  :: atomic { state == recalling && all_reported ->
       move(recalling, spilling); fatal = false;
       if :: holding && !release_asked -> resolve() :: else fi }

  /* Spilling: the held first, then what is newer; nothing overtakes what is held. */
  :: atomic { state == spilling && fatal -> move(spilling, recalling); purge() }
  :: atomic { state == spilling && holding && !release_asked && nfull(jobs) &&
              !all_copied ->
       seq = 0;
       for (n : 1 .. RECORDS) {
         if :: seq == 0 && place[n] == in_window && !copied[n] && outcome[n] == owed -> seq = n
         :: else fi
       }
       n = 0;
       copied[seq] = true;
       to_outbox(seq, true); seq = 0 }
  :: atomic { state == spilling && holding && !release_asked && all_reported && nfull(jobs) -> resolve() }
  :: atomic { state == spilling && any(place, backlog) && nfull(jobs) && (!holding || release_asked || all_copied) ->
       lowest(seq, place, backlog);
       place[seq] = handed_on;
       to_outbox(seq, false); seq = 0 }
  :: atomic { state == spilling && !holding && !fatal && up && !touched -> move(spilling, direct) }
  :: atomic { state == spilling && !holding && !fatal && up && touched -> move(spilling, returning) }

  /* Returning: new records wait. */
  :: atomic { state == returning && drained -> move(returning, direct); touched = false }
  :: atomic { state == returning && retreats < RETREATS -> move(returning, spilling); retreats++ }

  :: atomic { reports?write(seq, is_held) -> asked--; seq = 0; is_held = false }
  :: atomic { reports?release(_, _) ->
       asked--;
       for (n : 1 .. RECORDS) {
         if :: copied[n] -> place[n] = handed_on; copied[n] = false; outcome[n] = owed :: else fi
       }
       n = 0;
       holding = false; release_asked = false }
  od
}

/* One transaction after the other. */
active proctype Writer() {
  byte seq;
  bool is_held;
end:
  do
  :: atomic { jobs?write(seq, is_held) ->
       if :: is_held -> row[seq] = held :: else -> row[seq] = plain fi;
       row_mark[seq] = marked[seq];
       reports!write(seq, is_held); seq = 0; is_held = false }
  :: atomic { jobs?release(_, _) ->
       for (n : 1 .. RECORDS) {
         if
         :: row[n] == held && outcome[n] == delivered -> row[n] = none
         :: row[n] == held && outcome[n] != delivered ->
              row[n] = plain;
#ifndef NO_MARK
              row_mark[n] = row_mark[n] || outcome[n] == possibly
#else
              skip
#endif
         :: else
         fi
       }
       n = 0;
       reports!release(0, false) }
  od
}

#ifdef RELAY_EARLY
#define may_relay (any(row, held) || any(row, plain))
#else
#define may_relay (!any(row, held) && any(row, plain))
#endif

/* Reads, sends, and deletes what is acked; its successor marks what it may have sent. */
active proctype Relay() {
end:
  do
  :: atomic { relay == idle && may_relay ->
       current = 0;
       for (n : 1 .. RECORDS) {
         if :: current == 0 && row[n] != none -> current = n :: else fi
       }
       n = 0;
       relay = has_read }
  :: atomic { relay == has_read && up ->
       assert(!any(row, held));  /* only after the release (P15) */
       append(current, row_mark[current]); relay = has_sent }
  :: atomic { relay == has_sent -> row[current] = none; current = 0; relay = idle }
  :: atomic { relay != idle && !relay_died ->
       relay_died = true; row_mark[current] = true; current = 0; relay = idle }
  od
}

/* Nothing more can happen: everything is in the topic (P4), and the lane is direct (P20). */
active proctype End() {
  timeout;
  for (n : 1 .. RECORDS) { assert(copies[n] != 0) }
  n = 0;
  assert(state == direct && no_rows && all_reported)
}
