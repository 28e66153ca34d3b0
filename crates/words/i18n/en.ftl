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
interview-settled = Settled after { $n ->
    [one] 1 answer
   *[other] { $n } answers
  }.
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
protect-next = Next: tegata check … --fact 'data.profile_report=evidenced PROFILE'
