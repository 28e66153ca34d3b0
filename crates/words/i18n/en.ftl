# Verdicts
verdict-out_of_scope = The rules do not reach this
verdict-permitted = May go
verdict-conditional = Not as it is; may go if …
verdict-prohibited = May not go
verdict-undetermined = Cannot tell
# First line of every answer
first-line = Result of comparing the facts you gave with our rule texts as of { $date } (rulebook { $rulebook }). Information, not legal advice; no authority has approved it.
understood = As understood on { $date }
checked = Checked
may-apply = May apply too (it depends on what is not said)
not-checked = Not checked
weakest = Weakest rule used
weakest-value = { $state }, { $seen }, read { $date }
read-once = Read once only: { $rules }. This clears with a warning; a node opens no flow by it unless its operator accepts the rule or layer by name (`[law] accept_drafted` in tegata.toml)
read-stale = Cleared by a reading of { $date }, not read again since: { $rules }
holds-until = No published text changes this before { $date }
because = Because
ways = Cheapest ways
way-none = No measure opens this
way-more = … and more; see --explain
decides = decided by { $who }
routes-to = by { $routes }
missing = Missing
asks = { $who } knows
judges = { $who } must judge
disputed = Disputed
not-covered = Not covered: we hold no rule
other-way = Another transfer that would pass
duties = Duties that go with it
remain = Duties that remain
would-open = It might open without measures if known
repeat = Repeat
more-routes = { $n } routes were looked at; --explain shows the first unmet condition of each
days = { $n ->
    [0] at once
    [one] 1 day
   *[other] { $n } days
  }
money = about US${ $n }
loss = { $n } % of use lost
not-dispense = Does not dispense from
# Who
who-exporter = the exporter
who-recipient = the recipient
who-both = both parties
who-individual = the individual, freely
who-authority = an authority, at its discretion
who-court = a court
who-legislature = the legislature
# Review states
review-withdrawn = withdrawn
review-signpost = signpost only
review-stale = stale
review-disputed = disputed
review-drafted_machine = drafted by machine, one reading
review-drafted_person = drafted by a person, one reading
review-checked_machine = checked by a second machine reading
review-checked_person = checked by a second person
review-lawyer_reviewed = reviewed by a named lawyer
review-authority_confirmed = confirmed by the authority
seen-memory = from memory
seen-secondary = from a secondary account
seen-unofficial_translation = from an unofficial translation
seen-official_translation = from the official translation
seen-original = from the original text
# Truth
truth-yes = yes
truth-no = no
truth-open = open
# Kinds of clause
kind-scope = scope
kind-out = outside
kind-bar = bar
kind-gate = gate
kind-route = route
kind-obligation = obligation
kind-carried = carried from an earlier hop
kind-gap = not covered
outside-not_reached = The law does not reach it
outside-not_personal = Not personal for the holder who counts
outside-no_transfer = No transfer in the law's sense
outside-exempt = Exempt
# Interview
interview-start = A few questions. Enter alone = I do not know. Ctrl-C leaves.
interview-place-hint = a country, as code or name
interview-places-hint = countries, as codes or names, separated by commas; 0 = none
interview-choose-one = number of one
interview-choose-many = numbers of all that fit, separated by commas; 0 = none of these
interview-yes-no = y or n
interview-count = a whole number
interview-date = a day such as 2026-11-22
interview-not-understood = That was not understood; please try again.
interview-from = From which country does the data go?
interview-to = To which country does it go?
interview-settled = Answers given: { $n }.

# Memo
memo-title = May this data go?
memo-facts = Facts given
memo-signature = Assessed by / date
memo-how = How to repeat this answer
# Obligation timing
if-from_start = otherwise unlawful from the start
if-from_breach = otherwise unlawful from the breach
if-side_duty = a duty beside; the transfer stays valid
# Register
register-columns = Columns as understood (say otherwise with --column)
register-unused = Columns not used
register-not-understood = not understood, taken as unknown
register-rows = { $n } rows
drill-struck = Struck
drill-stops = { $n } of { $all } rows would stop
watch-nothing = Nothing turned, and no published text will turn it.
# Roles of columns
role-direct-identifier = identifies alone
role-identification-code = identification code
role-linking-code = linking code
role-quasi-identifier = quasi-identifier
role-sensitive = sensitive
role-property-damage = could cause property damage
role-attribute = attribute
role-non-personal = non-personal
scan-singles-out = { $columns }: this combination singles out { $n } of { $of } people
scan-summary = { $rows } rows, { $columns } columns, { $n } of them about people
protect-summary = smallest class { $k }, greatest risk { $risk }, { $released } of { $of } records released
protect-met = The profile's numbers are met. This proves numbers, not a legal status.
protect-not-met = The profile's numbers are not met; nothing was written.
protect-next = Next: numbers are one part of a legal class. Where its other duties are met too, tell check so: --fact data.statutory_class=…
# Pages: begin
page-day = { $d } { $m ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  } { $y }
page-moment = { $day }, { $time }
page-name = Tegata
page-skip = Skip to the content
page-demo = Demo: one machine plays every part; nothing here is a real transfer.
page-nav = Main
page-nav-check = Check
page-nav-countries = Countries
page-nav-matrix = All destinations
page-nav-register = Your list
page-nav-flows = Flows
page-nav-changes = Changes of law
page-nav-report = State of the rules
page-other-language = 日本語
page-not-advice = A comparison of the facts given with our rule texts. Information, not legal advice; no authority has approved it.
page-rulebook = Rulebook
page-version = Version
page-decision = Decision
page-home = Back to the first page
page-home-title = May this data cross the border?
page-home-lead = The answer, the articles that decide, and the cheapest lawful way: for any day, with what was checked and what was not.
page-home-go = Start
page-home-doors = Or start elsewhere
page-door-countries = The law of a place, rule by rule, with article, days and review.
page-door-matrix = One origin, every destination at once.
page-door-register = Paste the list of transfers you keep; see which rows are red.
page-door-flows = What moves now, what the law stopped, and what to do.
page-door-changes = The days on which rules begin and end.
page-door-report = What we hold, what we do not, and how it was read.
page-home-next = What the law does next
page-home-none = No published text that we hold changes after today.
page-home-all = All changes
page-check-title = Check a transfer
page-check-lead = Four plain questions. What else matters is asked with the answer, and only that.
page-check-said = What you said already
page-check-in-place = A contract or another mechanism is in place already
page-check-in-place-hint = What is not ticked counts as not there.
page-check-day = The law of which day?
page-check-day-hint = Any day, past or to come.
page-check-go = Show the answer
page-all-that-fit = Tick all that fit.
page-choose = Choose …
page-places-covered = Places whose law on transfers we hold
page-places-others = Other places
page-places-others-lead = As a place of departure these are not covered; the answer says so. As destinations they are judged by the law of the place of departure.
page-other-places = Other places, by name or code, separated by commas
page-yes = yes
page-no = no
page-unknown = I do not know
page-none-of-these = none of these
page-count-hint = A whole number, or bounds such as 1000..4999
page-of-role = { $role }: { $what }
page-comma = , 
page-somewhere = not said
page-means-out_of_scope = No rule that we checked reaches this. Duties may remain.
page-means-permitted = No transfer rule that we checked stops it.
page-means-conditional = One of the ways below opens it.
page-means-prohibited = No measure opens this transfer as described.
page-means-undetermined = Something is missing. It is not a yes.
page-letter-out_of_scope = –
page-letter-permitted = ✓
page-letter-conditional = !
page-letter-prohibited = ✕
page-letter-undetermined = ?
page-law-of = By the law of { $day }
page-holds-until = no published text changes this before { $day }
page-understood-now = As understood on { $day }:
page-cost-guess = Days and money are orders of size, not offers.
page-opens-by = opens by
page-with-this = The answer with this in place
page-questions = { $n ->
    [one] One question still matters
   *[other] { $n } questions still matter
  }
page-questions-lead = Answer what you know; leave the rest. Only questions that can change the answer are asked.
page-questions-go = Answer again
page-more-questions = { $n ->
    [one] One more question
   *[other] { $n } more questions
  }
page-unsettled = What no answer of yours settles
page-see-layer = See what we hold
page-more = { $n } more
page-more-choices = { $n } more choices
page-due-by = due by { $day }
page-due-days = { $n } days after: { $fact }
page-due-before = before it goes
page-due-on_request = when a person asks
page-due-standing = as long as it lasts
page-checked-title = What was checked, and what was not
page-you-said = You said
page-evidenced = with evidence
page-change-answers = Change what you said
page-repeat = The same on a terminal
page-all-destinations = Every destination
page-print-hint = This page prints as a memo.
page-tree = Every rule that was looked at, and why not
page-as-of = Law as of
page-as-of-go = Show
page-since = in force since { $day }
page-from-until = in force from { $from } until the day before { $until }
page-start-unknown = enacted, start not set
page-official = official text
page-official-text = Read the official text
page-countries-lead = What we hold about transfers out of a place. What is not listed is not covered, which never means free.
page-place = Place
page-general-law = General law on transfers
page-country-lead = Rules for data that leaves { $place }.
page-country-none = We hold no law on transfers for an exporter in { $place }. An answer for one is “cannot tell: not covered”.
page-layers = Laws on this page
page-layer = Law
page-all-layers = all
page-show = Show
page-authority = Authority
page-gaps = Not covered inside it
page-no-rules = No rule of it is in force on this day.
page-rules-of = { $law }: rules in force on { $day }
page-rules-other-days = Rules of other days
page-not-in-force = { $n ->
    [one] One rule is not in force on this day
   *[other] { $n } rules are not in force on this day
  }
page-rule = Rule
page-article = Article
page-in-force = In force
page-review = Review
page-on-lists = On these lists, as a destination
page-list = List
page-note = Note
page-may-reach = Laws that may reach an exporter here
page-may-reach-lead = It depends on the people, the markets or the data.
page-kind-scope = reaches
page-kind-out = does not reach
page-kind-bar = forbids
page-kind-gate = forbids unless
page-kind-route = way through
page-kind-obligation = duty
page-kind-entry = list entry
page-standing-in_force = in force
page-standing-not_yet = not yet in force
page-standing-start_unknown = start not set
page-standing-ended = no longer in force
page-standing-annulled = annulled
page-standing-in_force-on = In force on { $day }
page-standing-not_yet-on = Not yet in force on { $day }
page-standing-start_unknown-on = Enacted; on { $day } its start is not set
page-standing-ended-on = No longer in force on { $day }
page-standing-annulled-on = Annulled, seen from { $day }: it never counted
page-prose = In words
page-prose-language = This explanation is held in English only; the sentence above and the conditions are in both languages.
page-conditions = When it applies
page-as-read = As the program reads it
page-key-reaches = It reaches
page-key-when = When
page-key-need = What it needs
page-key-carries = What must hold on every later hop
page-key-due = When it is due
page-key-done = When it is met
page-key-if_breached = If it is missed
page-key-remains = Duties that remain
page-key-not_dispense = Does not dispense from
page-key-alternative = Another transfer that would pass
page-key-except = Except
page-always = always
page-never = never
page-all-of = all of
page-one-of = one of
page-doubt = What a lawyer should doubt
page-source = Source
page-force = Kind of text
page-force-statute = statute
page-force-delegated = rules made under a statute
page-force-decision = binding decision
page-force-judgment = judgment
page-force-guidance = guidance
page-force-practice = practice
page-published = Published
page-annulled = Annulled
page-seen = Read
page-sure = How sure
page-sure-low = low: check first
page-sure-medium = medium
page-sure-high = high
page-id = Id
page-file = File
page-wrong-title = Is this wrong?
page-wrong-lead = Tell us the article that says otherwise. The id and the digest of the rulebook go with it.
page-wrong-go = Report a correction
page-history = Versions of this provision
page-this = this page
page-before = Before it stood
page-after = After it stands
page-turns-on = It turns on
page-changes-lead = The days on which a rule that we hold begins or ends.
page-coming = Still to come
page-coming-none = No published text that we hold changes after today.
page-past = So far
page-more-days = { $n } earlier days
page-days-left = { $n ->
    [one] in 1 day
   *[other] in { $n } days
  }
page-begins = Begins
page-ends = Ends (last day before)
page-was-annulled = Annulled
page-was-published = Published, begins later
page-report-lead = What this rulebook holds, how each rule was read, and how old the readings are. Weak points are listed first, not hidden.
page-fig-layers = bodies of law
page-fig-rules = rules and list entries
page-fig-places = places covered as origin
page-fig-lists = lists
page-fig-cases = worked cases run as tests
page-fig-disputed = disputed questions
page-fig-in-force = In force
page-report-review = How rules were read
page-share = Share
page-report-layers = By body of law
page-tier = Tier
page-tier-note = Tier A: read paragraph by paragraph; B: main routes; C: signposts only, never an opening answer.
page-weakest-review = Weakest review
page-oldest = Oldest reading
page-report-gaps = What we do not hold
page-report-uncovered = For { $n } places of departure no general law is held: the answer there is “cannot tell: not covered”.
page-report-disputed = Disputed questions
page-matrix-from = From { $place } to everywhere
page-matrix-lead = The same facts, every destination. The letter and the words say the answer; color only repeats it.
page-matrix-ask = Origin, data and purpose
page-matrix-go = Show every destination
page-matrix-caption = { $n } destinations
page-destination = Destination
page-answer = Answer
page-why = Why
page-why-link = reasons and ways
page-why-place = { $place }: reasons and ways
page-matrix-note = The same on a terminal:
page-register-lead = Paste the list of transfers that you keep. Columns are matched by their names, in English or Japanese; what is not understood is said, never guessed.
page-register-list = Your list
page-register-hint = A first line with names of columns; commas, or tabs as copied from a spreadsheet. It stays on this machine.
page-register-go = Check every row
page-register-example = Use the example list
page-register-answers = Your list, answered
page-register-caption = { $n } rows, by the law of { $day }
page-register-unused = Columns not used:
page-register-row = Row
page-register-next = First thing to do
page-register-again = Change the list and check again
page-register-unread = Not a transfer
page-line = line { $n }
page-not-understood = not understood: { $column } = { $value }
page-flows-none = No flow yet. A flow begins with an answer that opens and an agreement.
page-flows-first = Check a transfer
page-flows-stopped = { $n ->
    [one] One flow is stopped by law and waits for you.
   *[other] { $n } flows are stopped by law and wait for you.
  }
page-flows-calm = Nothing is stopped.
page-dataset = Dataset
page-way = From → to
page-state = State
page-delivered = Delivered
page-evidence = Evidence
page-chunks = { $n ->
    [one] 1 chunk
   *[other] { $n } chunks
  }
page-chunks-of = { $n } of { $all } chunks
page-flow-waiting = Waiting to begin
page-flow-running = Moving
page-flow-stopped = Stopped by law
page-flow-suspended = Paused
page-flow-completed = Delivered whole
page-flow-terminated = Ended early
page-flow-means-waiting = Agreed; nothing has moved yet.
page-flow-means-running = Its decision stands; each chunk asks again.
page-flow-means-stopped = Its decision stands no longer.
page-flow-means-suspended = A party paused it.
page-flow-means-completed = Every chunk was delivered and receipted.
page-flow-means-terminated = It ended before everything was delivered.
page-letter-waiting = …
page-letter-running = ▶
page-letter-stopped = ✕
page-letter-suspended = ‖
page-letter-completed = ✓
page-letter-terminated = ■
page-stop-line = { $cites } refuses it since { $day }.
page-stop-at = No byte has left since { $moment }.
page-stop-which = Which paragraph, and since when
page-step-opened = The flow began: the decision opened
page-step-law = { $cites } turned
page-step-stopped = The flow stopped
page-delivered-title = What was delivered
page-last-chunk = last chunk { $moment }
page-delivered-after = Nothing was delivered after the stop; the evidence shows it.
page-delivered-what = What to do with it
page-delivered-keep = The stop recalls nothing. Whether it may be used further there follows from the rule above and from the agreement.
page-delivered-contract = If it may not, ask the recipient to return or delete exactly these chunks, and to confirm it.
page-delivered-list = The evidence lists every delivered chunk by its digest
page-cures = The cheapest cure
page-cures-none = No measure opens it. Another recipient, place, purpose or content may.
page-cure-go = This is in place: decide again and go on
page-cure-note = Pressing records your statement that the measure is in place; the flow goes on only if the new decision opens it.
page-cure-failed = It stays stopped
page-back-to-flow = Back to the flow
page-flow-facts = This flow
page-began = Began
page-see-evidence = Evidence, step by step
page-ask-again = Ask again
page-ask-again-go = The same question, today
page-evidence-of = Evidence: { $dataset }
page-evidence-none = There is no evidence of this flow yet.
page-evidence-passed = It holds
page-evidence-failed = It does not hold
page-evidence-indeterminate = It cannot be told
page-evidence-means-passed = Every step passed against anchors from outside.
page-evidence-means-failed = A step failed.
page-evidence-means-indeterminate = A step lacks something to judge by. That is no pass.
page-evidence-failed-at = It fails at: { $step }
page-evidence-note = Shown here by this server. To verify without it: tegata verify, or verify.sh in the container.
page-letter-passed = ✓
page-letter-failed = ✕
page-letter-indeterminate = ?
page-stamped-at = Time-stamped { $moment }
page-levels = How far it reaches
page-level-recorded = Recorded
page-level-witnessed = Witnessed
page-level-sealed = Sealed
page-level-stamped = Time-stamped
page-level-none = none yet
page-level-reached = reached
page-level-open = not yet
page-steps = Step by step
page-step-container = The container is in its one form
page-step-digests = Every file is listed, with its digest
page-step-seal = The seal leads to an anchor
page-step-stamp = The time-stamp leads to an anchor
page-step-delivery = What was delivered is whole
page-step-log = It stands in a log that is believed
page-step-receipt = The receiver attested this very delivery
page-step-data = The data are the bytes named
page-outcome-passed = passed
page-outcome-failed = failed
page-outcome-indeterminate = cannot be told
page-outcome-absent = not given
page-outcome-not_reached = not reached
page-enter-title = Come in
page-enter-lead = This page needs a token of this participant.
page-enter-demo = Open the link that the terminal printed, or paste its token here.
page-enter-token = Token
page-enter-wrong = This token is not good. Check that it was copied whole, or ask for a new one.
page-enter-go = Come in
page-enter-public = Without a token you can read:
page-problem-code = Code
page-problem-host-not-known = This host is not served here
page-problem-token-missing = A good token is needed
page-problem-role-not-enough = Your role does not allow this
page-problem-form-not-ours = The form is too old, or not from this page
page-problem-not-found = Nothing is here
page-problem-not-offered = This is not offered here
page-problem-body-too-large = That is larger than is read
page-problem-body-not-json = The body is not JSON
page-problem-list-not-read = The list cannot be read
page-problem-transfer-not-understood = What was said contradicts itself or is not known
page-problem-day-not-understood = That is not a day
page-problem-too-many = More than are answered at once
page-problem-busy = Too many questions are waiting; please come again
page-problem-rules-too-fine = The rules cannot be compiled for this day
page-problem-went-wrong = This program made a mistake
page-refuses-since = refuses this flow since { $day }
page-unsettled-may = { $n } more, in laws that may apply
# Pages: end
# Demo
demo-title = The day the law changed
demo-real = Real: the law (each answer cites it), the measures, the Dataspace Protocol, the cryptography.
demo-invented = Invented: firms, people, the authority, and the legal clock of scene 4.
demo-nothing-leaves = Nothing leaves this machine.
demo-next = Enter to go on
demo-look = Look: what is in the table?
demo-ask = Ask: one table, several destinations
demo-go = Go: offer, agreement, pass, chunks, between two processes
demo-three = three processes over TLS: an authority and two nodes
demo-offered = offered, with the law's condition in the offer as ODRL
demo-agreed = negotiated, agreed, pass issued, flow opened in
demo-chunks = chunks delivered so far:
demo-judgment = The judgment
demo-legal-clock = the legal clock stands at
demo-delivered = delivered before the stop: chunks
demo-agree = Enter to agree to the cheapest way and record it
demo-sealed = sealed, stamped, cosigned, receipted
demo-same-bytes = One file, several answers
demo-report = report
demo-gap = This gap is what an accord between regulators closes.
demo-dont-trust = Don't trust us
demo-no-anchor = without anchors from outside: indeterminate, not green
demo-your-turn = Your turn
demo-pages = pages:
demo-not-shown = Not shown: PET accords, many participants, other connectors as peers; see the README's table of what works.
forged-data = one byte of the delivered data changed
forged-byte = one byte of the container changed
forged-rezipped = zipped again with right checksums
forged-authority = judged by another authority's anchor

watch-count = { $n } rows kept; { $shut } of them may not go as they stand

# Two nodes by hand
authority-at = authority at { $url } in `{ $dir }`
authority-invented = Invented: it checks no claim; what it signs is worth nothing outside a trial.
authority-next = Next, in another terminal: tegata enroll --authority { $dir } --dir FOLDER --name NAME --country PLACE
authority-revoked = { $did }: certificates revoked
enroll-done = { $did }: keys, certificates and { $file } are there
enroll-next = Next: tegata serve --dir { $dir }
offer-done = { $dataset } is offered; the law's condition is in the catalog
offer-next = A consumer gets it so: tegata get { $provider } { $dataset } --dir FOLDER
offer-none = nothing is offered
catalog-law = the law asks of the recipient
get-done = { $file }: { $bytes } bytes, manifest { $manifest }
get-next = Next: tegata evidence { $transfer } --dir { $dir }
get-still = error[node/too-late]: nothing moved for { $n } s; the node goes on: tegata get --go-on { $id }
get-refused = error[{ $code }]: the provider refused
evidence-done = evidence of { $transfer } in `{ $out }`; check it:
evidence-anchors = Take the anchors from the authority yourself, never from who hands you the evidence.
why-move-ours = our move
why-move-theirs = their move
why-move-nobody = ended
why-waits = our message waits for an answer; it is sent again
why-delivered = delivered { $chunks } chunks, { $bytes } bytes
why-nothing = no negotiation and no flow yet
