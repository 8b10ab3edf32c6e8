# Suishen in English. Each key has the same in zh-CN.ftl.

## Everywhere

suishen = Suishen
other-language = 中文
list-comma = { ", " }
date = { $day } { $name }
date-year = { $day } { $name } { $year }
when-today = today { $time }
when-tomorrow = tomorrow { $time }
when-yesterday = yesterday { $time }
when-day = { $date } { $time }
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
days = { $n ->
    [one] 1 day
   *[other] { $n } days
}
hours = { $n ->
    [one] 1 hour
   *[other] { $n } hours
}
minutes = { $n ->
    [one] 1 minute
   *[other] { $n } minutes
}
seconds = { $n } s
left-hours = { $a } h { $b } min
left-minutes = { $a } min { $b } s

## Start page

start-title = The story of one record
start-lead = Play every role in this one browser. Hospital, patient and doctor have addresses of their own, and each keeps its own things.
start-issue = The hospital issues
start-issue-text = Enrol the issuing desk with its invitation, choose a sample report, issue it: a code appears.
start-keep = The patient keeps it
start-keep-text = Scan, paste or open the link and tap “Keep”. First the report, then a lock for the wallet.
start-share = Show it to a doctor
start-share-text = Choose records, time and number of reads, and show the code. Once a doctor has scanned it you see the name, and say yes.
start-read = The doctor reads
start-read-text = Each read is written on the ledger before there is a key. Another doctor can't open the same code.
start-claim = Claim from an insurer
start-claim-text = On the invoice's page the patient shows a claim code. The insurer sees this invoice and nothing else, and settles it once; the patient's phone shows each step.
start-check = Who read it, none missing
start-check-text = The patient's phone checks the ledger itself. A second wallet that brings the same ticket is refused, with the reason.
start-note = People and hospitals here are invented. Signatures, certificates and ledger are real.
role-hospital = Hospital desk
role-patient = Patient's phone
role-patient2 = Another patient
role-doctor = Doctor's desk
role-doctor2 = Another doctor
role-insurer = Insurer's claims desk
role-insurer2 = Another insurer
role-fund = Statutory fund's desk
role-auditor = Auditor's desk
## Dates and counts

year = { $year }
month-year = { $name } { $year }
age = { $n } y
times = { $n ->
    [one] once
   *[other] { $n } times
}
percent = { $n }%
comma = { ", " }
in-brackets = ({ $text })
name-title = { $name }, { $title }
entry-number = entry { $n }
me = Me
or = or
back = Back
close = Close
later = Later
print = Print
copied = Copied
copy-link = Copy link
opening = Opening…
locked = The wallet is locked.

## Places

places = Main pages
sections = Sections
records = Records
scan = Scan
show = Show
readers = Who read
settings = Settings
settings-of = { ", open settings" }
unknown-title = There is no such page
unknown-text = The address may be incomplete. Your records are not affected.
unknown-home = Go to the first page
elsewhere-title = Open in another tab
elsewhere-text = A wallet is open in one place at a time. All records are there.
elsewhere-use = Use here
damaged-title = The store can't be read
damaged-text = This isn't a wrong passphrase: the data in this browser is damaged. The recovery page and a backup file bring it back.

## Welcome

welcome-title = Your health records, in your own hands
welcome-scan = Scan the code your hospital gives you. The report is yours.
welcome-decide = You decide who reads it, and for how long.
welcome-written = Whoever opens one is written down, and your phone checks the list.
welcome-no-account = No account. No phone number.
welcome-start = Scan a hospital’s code
welcome-have = I already have a wallet
welcome-home-screen = First tap Share, then “Add to Home Screen”, and open it from there. Otherwise the browser empties it after seven days without a visit.

## Inside another app

embedded-wechat = This can't be done inside WeChat. Top right, “Open in browser”. Your code is still good.
embedded-app = This can't be done inside this app. Open it in your browser. Your code is still good.
embedded-tap = Tap the three dots, top right
embedded-open = Choose “Open in browser”
embedded-safe = Nothing was taken yet. You can also copy the link and paste it in your browser.

## Scanning

scan-view = Camera view
scan-hint = Hold the code inside the frame
scan-found = Scanned.
scan-camera = Use the camera
scan-picture = Choose a picture
scan-paste = Or paste the link
scan-go = Open
scan-picture-nothing = No code was found in the picture. Choose a clearer one with a white margin.
scan-no-text = This code holds no text and can't be opened.
camera-none = There is no camera to use. Choose a picture or paste the link.
camera-denied = The browser may not use the camera. Allow it left of the address, or choose a picture or paste the link.
camera-busy = Another app is using the camera. Close it and try again, or choose a picture.

## What was scanned

incoming-title = The scanned code
incoming-reading = Looking at what this is…
incoming-ticket = A hospital's ticket.
incoming-other = This isn't a ticket
ticket-title = A report is waiting for you
ticket-issuer-unknown = A hospital, checked once you keep it
ticket-until = Good until { $when }
ticket-once = Can be kept once. Then the report is on this phone.
ticket-keep = Keep
ticket-kept = The report is kept.
foreign-consent = This code is for a doctor. Let the doctor scan it at the desk.
foreign-identity = This is a wallet's identity code, for a hospital's desk to scan.
foreign-new-device = This is a new device's code. Scan it with the phone that has the records; there is no wallet here yet.
foreign-recovery = This is a recovery code: it opens a wallet. To get your own wallet back, tap below.
foreign-smart-health-card = This is a SMART Health Card. This version can't keep it yet.
foreign-smart-health-link = This is a SMART Health Link. This version can't keep it yet.
foreign-eu-certificate = This is an EU health certificate. This version can't keep it yet.
foreign-insurance-payment = This is an insurance payment code: it pays, it is no record. Nothing was stored.
foreign-health-card = This is an electronic health card: it identifies you, it is no record.
foreign-tax-invoice = This is a tax invoice's code, not a record.
foreign-medical-bill = This is a medical e-bill. Look it up at its own site; it can't be checked here.
foreign-payment = This is a payment code, not a record. Nothing was stored.
foreign-drug-trace = This is a drug trace code, for looking up a medicine.
foreign-slip-number = This is the number of a slip or wristband. The report comes with another code.
foreign-id-number = This is an ID number. Nothing was stored.
foreign-web-link = This is an ordinary web address, not a ticket.
foreign-unknown = This code is unknown. Ask the desk for a Suishen ticket.

## Records

record = Record
records-count = { $n ->
    [one] 1 record
   *[other] { $n } records
}
records-more = Show more ({ $n } left)
search = Search
search-label = Search names, hospitals, departments, tests, text or tags
search-nothing = Nothing found. Try another word, or look among the hidden.
filter = Filter
filter-hidden = With hidden
kind-all = All
kind-laboratory = Lab
kind-imaging = Imaging
kind-discharge = Discharge
kind-fees = Fees
kind-prescription = Prescriptions
report-laboratory = Laboratory report
report-imaging = Imaging report
report-invoice = Medical invoice
report-discharge = Discharge summary
report-fees = Fee list
report-prescription = Prescription
report-other = Record
empty-title = No records yet
empty-text = Ask the hospital's desk for a code and scan it.
count-high = { $n } high
count-low = { $n } low
mark-new = New
mark-corrected = Corrected
mark-withdrawn = Withdrawn
mark-reversed = Reversed
mark-on-paper = Issued on paper
mark-suspended = Issuer suspended
mark-damaged = Can't be opened
mark-coming = On its way
mark-hidden = Hidden
mark-sensitive = Sensitive
record-sound = Issued by the hospital, not changed since.
record-sound-more = This phone has checked signature, certificate and ledger
record-unsound = Not everything could be checked
record-unsound-more = Tap to see which
record-corrected = The hospital has issued a corrected version. Ask it for the new code.
record-withdrawn = The hospital has withdrawn this report.
record-doubtful = The hospital was suspended when it issued this. Do not rely on it; ask a doctor.
record-suspended = The issuing hospital is suspended. What it issued before stays valid.
record-original = Original
record-more = More
record-hide = Hide this record
record-actions = This record
record-unhide = No longer hide
record-hide-note = Hidden records are in no list and no bulk choice. The hospital's own copy is not affected.
tag-label = Add a tag
tag-add = Add
tag-remove = Remove the tag “{ $tag }”
fasting = fasting
not-fasting = not fasting
sex-male = male
sex-female = female
report-conclusion = Conclusion
report-not-contained = Named in the report but not contained: { $names }
report-performers = Reported by { $names }
labs-abnormal = { $abnormal } of { $all } out of range
labs-all = { $n ->
    [one] 1 item
   *[other] { $n } items
}
labs-order = Order
labs-abnormal-first = Abnormal first
labs-original = As reported
labs-rest-within = The other { $n }, all within range
labs-rest = The other { $n }
labs-table = Table of results
labs-item = Item
labs-result = Result
labs-sum = Amount
labs-unit = Unit
labs-verdict = Mark
labs-range = Reference range
labs-note = Note
verdict-high = high
verdict-low = low
verdict-within = within range
verdict-critical-high = critically high
verdict-critical-low = critically low
verdict-abnormal = abnormal
verdict-critical = critical
value-yes = present
value-no = absent
value-absent = no result
range-below = below { $limit }
range-above = above { $limit }
range-spoken = reference range { $range }
unit-mmol-l = millimoles per litre
unit-umol-l = micromoles per litre
unit-g-l = grams per litre
unit-mg-l = milligrams per litre
unit-mg-dl = milligrams per decilitre
unit-u-l = units per litre
unit-giga-l = billion per litre
unit-tera-l = trillion per litre
unit-percent = percent
trend-title = { $name } over time
trend-table = As a table
trends-rest = { $n ->
    [one] How 1 other value changed
   *[other] How { $n } other values changed
}
trend-lead-one = { $n } times, all at this hospital, in { $unit }
trend-lead = { $n } times, in { $unit }
trend-range = Range: { $range }
trend-date = Date
trend-other-unit = Once in another unit: { $value } { $unit }
attachments = Originals and attachments
attachment-pdf = The PDF opens in a new tab.
attachment-open = Open the PDF
attachment-save = Save
attachment-unshown = This kind of file isn't shown here. You can save it.
proof-title = What this device checked
proof-good = passed
proof-bad = not passed
proof-signature = The hospital signed the report; not a character has changed.
proof-chain = The signer's certificate comes from a hospital of the consortium.
proof-digests = Each part matches the signed list.
proof-anchor = The report stands on the ledger.
proof-holder = The ledger says that the report was given to this wallet.
proof-issuer = The hospital was not suspended when it issued this.
proof-version = The hospital has not corrected or withdrawn it.
proof-limits = With a single relay, its operator together with a reader could hide new entries. This phone remembers the ledger as it was and raises an alarm if it ever goes back.

## Status line

status-broken = The ledger doesn't match
status-why = Why
status-claim = Something is wrong with an invoice's claim
status-claim-look = Look
status-unprotected = Not protected yet, and nothing can be shown yet
status-protect = Protect
status-no-phrase = The recovery page isn't written down
status-write = Write it
status-only-copy = These records are on this phone only. Lose it, and they're gone.
status-backup = Back up
status-offline = No network. List as of { $time }
status-read = { $n ->
    [one] Since you last looked: **1 read**
   *[other] Since you last looked: **{ $n } reads**
}
status-read-more = Tap to see who
status-nobody = Nobody has read anything since you last looked.
status-nobody-short = Nobody since you last looked

## Protection and recovery

protect-title = Protect the wallet
protect-text = Once it is protected you can show records and make a backup.
protect-passkey = Use fingerprint or face
protect-passphrase = Set a passphrase
protect-save = Use this passphrase
protect-done = The wallet is protected.
protect-note = The passphrase never leaves this phone, and nobody can reset it. The recovery page comes next.
passphrase-show = Show passphrase
strength-hint = Four or more unrelated words are easy to keep and hard to guess.
strength-enough = Strong enough
strength-weak = Too weak yet. Make it longer, or use suggested words.
suggest = Suggest words
suggestion-note = Write it down, or let the browser remember it.
passkey-cancelled = Not completed. Try again, or use a passphrase.
passkey-none = This device can't use fingerprint or face. Use a passphrase.
passkey-no-secret = This passkey can't protect a wallet. Use a passphrase.
unlock = Open
unlock-title = Open the wallet
unlock-waiting = Once it is open, your link is next.
unlock-passkey = Use fingerprint or face
unlock-passphrase = Enter the passphrase
unlock-or = Or enter the passphrase
unlock-recover = Can't open it? Use the recovery page
recovery-title = Write these 24 words on paper
recovery-text = If you lose the phone, they bring it back. Whoever holds them can open it.
recovery-language = Language of the words
recovery-same = Chinese and English words open the same wallet. One of them is enough.
recovery-written = Written down
recovery-check = Check three words
recovery-check-text = Fill them in from your paper; pasting is fine. Then the words leave this phone for good.
recovery-word = Word { $n }
recovery-confirm = Check
recovery-again = Look again
recovery-done = The recovery page is checked
recovery-done-text = The words are no longer on this phone. Keep the paper safe, and take no photograph of it.
recovery-code = Code that recovers the wallet
recovery-paper = Suishen recovery page
recovery-paper-holder = Whoever holds this page can open the wallet. Fold it and keep it safe.
recovery-paper-count = Scanning this code is the same as typing the { $n } words above.
to-records = To the records
restore-title = Get the wallet back
restore-text = Enter the 24 words of the recovery page, or a picture of its code. The rest is optional.
restore-phrase = 24 words, or the recovery code's text
restore-picture = Picture of the code
restore-backup = Choose the backup file
restore-backup-note = Without a file, what the mailbox keeps is brought back.
restore-device = Still have the old phone? No recovery page needed: have it scan a code here.
restore-join = Show a code to the old phone
restore-go = Get it back
restore-done = The wallet is back.

## Showing

share = Share
show-doctor = Show to a doctor
show-current = Shared now
show-nobody-yet = Nobody has scanned it yet
show-view-title = You may only look here
show-view-text = In this wallet you may look and not show. To let a doctor see it, ask the wallet's owner.
show-protect-title = Protect the wallet first
show-protect-text = Nothing can be shown from a wallet without a lock.
show-which = Which records
show-visit = This visit
show-year = Last 12 months
show-none = None
show-one-by-one = One by one
show-sensitive = { $n ->
    [one] 1 sensitive record is never chosen in bulk. Add it yourself.
   *[other] { $n } sensitive records are never chosen in bulk. Add them yourself.
}
show-why = What for
show-length = For how long
show-reads = How often at most
show-offline = It must work without my phone
show-offline-note = Whoever scans it can read without asking you again. Weaker, so the code lasts 5 minutes.
show-pick-first = Choose records, then time and number of reads.
show-make = Show the code
purpose-treatment = Treatment
purpose-coordination = Second opinion
purpose-emergency = Emergency
purpose-own = At my own request
purpose-payment = A claim
share-sentence = The doctor who scans this can read **{ $records } { $records ->
    [one] record
   *[other] records
    }**, at most **{ $reads } { $reads ->
    [one] time
   *[other] times
    }**, within **{ $length }** from now.
share-title = Let the doctor scan this code
share-code = Code for the doctor to scan
share-extend = Extend
share-waiting = Waiting for the doctor. After the scan you still say yes
share-waiting-offline = Waiting for the doctor. A scan is enough to read
share-offline-line = Works without your yes, for 5 minutes
share-offered = Waiting for a scan
share-asked = A doctor has scanned it and waits for your yes
share-asked-spoken = { $name }, { $title }, { $organisation }, has scanned your code. It is for you to decide.
share-open = { $reads } { $reads ->
    [one] read
   *[other] reads
    } left, until { $when }
share-state-open = You agreed; it can be read.
share-state-exhausted = All reads are used. It can't be opened again.
share-state-expired = The time is over. It can't be opened again.
share-state-revoked = Taken back, and on the ledger.
share-state-gates = Taken back: it can't be opened any more. The ledger follows.
countdown-left = Left:
countdown-over = Time is up
countdown-unknown = Asking for the ledger's time…
countdown-spoken = { $left } left
consult = Let the doctor ask
consult-text = When the doctor scans it, you see here who it is and what they would like to read. You decide then; a no gives nothing away.
consult-wants = Would like
consult-months = Records of the last { $n } months
consult-all = All records
consult-none = Nothing fits exactly. You can choose yourself.
consult-sentence = { $name } can read **{ $records } { $records ->
    [one] record
   *[other] records
    }**, at most **{ $reads } { $reads ->
    [one] time
   *[other] times
    }**, within **{ $length }** from now.
consult-given = { $name } can read now
consult-given-text = Records go straight from this phone. Keep Suishen open until the doctor has opened them.
consent-title = Let this doctor read?
consent-certified = Identity certified by the hospital
consent-term-what = What
consent-term-why = Why
consent-term-long = How long
consent-term-back = Changed your mind
consent-long = { $length }, at most { $reads } { $reads ->
    [one] time
   *[other] times
    }
consent-back-short = “Take back”, at any time
consent-yes = Agree
consent-no = Don't agree
consent-what = What: { $titles }
consent-why = Why: { $purpose }
consent-back = It can be taken back at any time with “Take back”. What was seen before, was seen.
consent-offline = Scanning is enough to read; there is no further question.
revoke = Take back
revoke-title = No longer let { $who } read?
revoke-title-nobody = Take it back?
revoke-cannot-open = They can no longer open it.
revoke-was-seen = What they saw before, they saw.
revoke-how = { $n ->
    [one] 1 record is taken back. It takes effect at once and then goes onto the ledger.
   *[other] { $n } records are taken back. It takes effect at once and then goes onto the ledger.
}
revoke-keep = Keep it
revoke-not-yet = Not yet revoked: not confirmed. It is tried again until it is.
identity = Identity code
identity-code = Code for the hospital's desk to scan
identity-text = When the hospital scans it, this and later reports come straight to this wallet. It holds no name and is new each time.

## Who read

readers-checking = Checking the ledger…
readers-view = View
readers-by-person = By person
readers-by-record = By record
readers-complete = **Everything on the ledger is here. None is missing.**
readers-complete-more = Just checked by this phone, { $time }
readers-as-of = **As of { $time }.**
readers-as-of-more = Later reads show once you're online.
readers-broken = **The ledger doesn't match what this phone remembers**
readers-broken-more = Show nothing to anybody, and tell the regulator
readers-none = Nobody has read anything
readers-none-text = When somebody reads what you share, it shows here at once.
readers-since = Above: since you last looked
readers-left = **{ $reads } { $reads ->
    [one] read
   *[other] reads
    } left**, until { $when }
log-read = Read **{ $n } { $n ->
    [one] record
   *[other] records
    }**: { $titles }
log-no-receipt = Key released, **no receipt**. Counts as read ({ $n }): { $titles }
log-refused = Asked for { $titles }, **refused**
log-when = { $when }, for { $purpose }
log-when-refused = { $when }, as the relay reports: { $reason }
log-by = Shown from “{ $device }”
log-detail = This access
log-who = Who
log-where = Where
log-at = When
log-entry = Ledger
log-bundle = Save the proof of this read
log-bundle-note = The proof can be verified offline. It holds nothing of the record's content.
log-reported = Refused attempts aren't on the ledger; the relay reports them, so they can't be proven complete.
seal-proven = Checked by this phone
seal-as-of = As of the last connection
seal-no-receipt = No receipt
seal-refused = Refused
seal-broken = The ledger doesn't match

## Settings

settings-protect = Fingerprint, face or passphrase
settings-protected = Protected
settings-unprotected = Not protected yet
settings-recovery = Recovery page
settings-recovery-done = Written down and checked
settings-recovery-open = Not written down yet
settings-backup = Backup
settings-backup-text = The backup file is encrypted; only the recovery page opens it. Keep it on a computer or another phone.
settings-backup-never = Never backed up
settings-backup-at = Last backup: { $when }
settings-backup-save = Save a backup file
settings-backup-read = Read a backup file
settings-backup-saved = { $n ->
    [one] Saved, 1 record.
   *[other] Saved, { $n } records.
}
settings-language = Language
settings-theme = Appearance
theme-system = System
theme-light = Light
theme-dark = Dark
settings-storage = Browser storage
settings-storage-kept = The browser has agreed not to empty it by itself.
settings-storage-loose = When space runs out, the browser may empty it by itself.
settings-storage-ask = Ask the browser to keep it
settings-release = Release
settings-release-newer = There is a newer release. It is taken only when you tap.
settings-release-take = Take the new release
settings-lock = Lock
settings-delete = Delete the wallet
delete-title = Delete this wallet?
delete-text = Records, keys and log on this phone will be deleted. Without backup and recovery page they can't be brought back.
delete-kept = The wallets of others that are kept here go with it: { $names }. Theirs stay as they are.
delete-hospital = The hospital's own records are not deleted; it keeps them by law.
delete-sure = I understand, delete it
delete-keep = Keep it

## My devices

devices = My devices
devices-of = { $name }'s devices
devices-in = Devices of this wallet
devices-people = People who help me
devices-add = Add a device
devices-past = Removed
devices-protect = Once the wallet is protected you can add another device.
devices-other = Devices are added and removed on one that may manage them.
device-this = This one
device-unnamed = A device without a name
device-phone = Phone
device-tablet = Tablet
device-computer = Computer
device-view = May only look
device-share = May look and show
device-manage = May look, show, add and remove devices
device-since = Added { $when }
device-past = Removed { $when }, gets nothing new
pair-scan = Scan the new device's code
pair-connect = Connect to it
pair-meeting = Connecting to the new device
pair-role = Who it is for
pair-mine = My own other device
pair-mine-may = The same as this one, may do everything
pair-helper = A person who helps me
pair-helper-may = Family or a carer, on a phone of their own
helper-role = What they may do
helper-view = Look
helper-view-may = At records and who read them. They change nothing and show nothing to others
helper-share = Look, and show for me
helper-share-may = Also take in reports and show them to a doctor. The list says who showed them
helper-manage = Manage for me
helper-manage-may = The same as I, adding and removing devices too. Only for whom you trust most
pair-show = Scan this with the new device
pair-show-helper = Have them scan this
pair-code = Code for the new device to scan
pair-how = Point the new device's camera at it and open the page that comes up. After the scan you still compare a number.
pair-how-helper = Have them point their phone's camera at it and open the page that comes up. After the scan you still compare a number.
pair-waiting = Waiting for the new device
pair-same = Do both devices show the same number?
pair-asked = “{ $name }” wants to join your wallet.
pair-careful = If they differ, don't add it. Nothing is given away.
pair-yes = The same, add it
pair-no = They differ
pair-spoken = The number is { $code }
pair-added = Added
pair-added-text = Both devices have the same records now. What one gets, the other gets too.
pair-added-helper = They can see your records now. Take it back at any time under “My devices”.
pair-not-added = Not added
join-title = Bring your records to this device
join-text = Once it has joined, both devices have the same records.
join-name = What this device is called
join-go = Join
join-compare = Look at the old phone: if it shows the same number, tap “The same” there.
join-compare-both = Look at the old phone: if it shows the same number, tap “The same” on both.
join-same = The same
join-waiting = Waiting for “The same” on the old phone
join-code = Code for the old phone to scan
join-how = On the old phone open Suishen, tap “Scan”, and point it at this. After the scan you still compare a number.
join-done = Joined. Your records are here, attachments follow.
join-title-beside = Add another person's wallet
join-beside = This adds another person's wallet beside yours. The two are kept apart; yours stays as it is.
join-beside-of = This adds { $name }'s wallet beside yours. The two are kept apart; yours stays as it is.
join-whose = Whose wallet this is, such as “Mum”
join-name-beside = The name that they will see
join-device-of = { $name }'s { $device }
join-compare-beside = Look at their phone: if it shows the same number, have them tap “The same”.
join-done-beside = Done. The wallet is here, attachments follow.

whose = Whose wallet
whose-own = Mine
whose-view = may look
whose-share = may look and show
whose-manage = may manage
whose-open = This is { $name }'s wallet now
whose-own-open = This is your own wallet now
taken-back = { $name } took this back
taken-back-more = It can't be opened here any more. Your own wallet is unchanged.
put-away = Put away
put-away-title = Put { $name }'s wallet away?
put-away-text = The copy on this phone is deleted. Yours and theirs stay as they are. To see it again, have them add you again.
put-away-keep = Keep it
put-away-done = Put away
remove-title = Remove “{ $name }” from the wallet?
remove-new = From now on it gets nothing new.
remove-keeps = The records it already has stay on it and can't be taken back.
remove-next = What you share and it could still act on is listed next, for you to take back.
remove-go = Remove
remove-done = Removed
remove-left = “{ $name }” could still act on these. Take them back?
remove-nothing = It gets nothing new, and there is nothing to take back.
revoke-all = Take all back
sync-title = Where it is kept
sync-now = Compare now
sync-mailbox = the mailbox
sync-mailbox-at = Mailbox { $host }
sync-nowhere = On this phone only
sync-waiting = { $n ->
    [one] 1 change is on this phone only
   *[other] { $n } changes are on this phone only
}
sync-same = The same as { $names }
sync-since = since { $when }
sync-level = The same since { $when }
sync-busy = Comparing
sync-busy-of = Comparing, { $done } of { $total }
sync-unreached = Can't reach { $names }
sync-unreached-waiting = Can't reach { $names }; changes wait
sync-last = Can't be reached. Last the same: { $when }
sync-never = Can't be reached, not compared yet
sync-off = Not begun: protect the wallet first
sync-kept-back = The mailbox serves an old copy
sync-kept-back-text = The ledger knows of a change of devices that the mailbox keeps back. Share nothing for now: bring another device online, or try another network.
sync-removed = This device was removed from the wallet
sync-removed-text = The mailbox no longer lets it in, so it gets no new records. Those that were here still are.

## Progress

step-working = Working…
step-fetching = Receiving
step-checking = Checking signatures and ledger
step-sending = Sending
step-sealing = Sealing with your own keys
step-unlocking = Opening, this takes a few seconds
step-anchoring = Writing to the ledger
step-of = { $done } of { $total }; resumes if interrupted

## Desks

desk-hospital = Issuing desk
desk-doctor = Reading desk
desk-auditor = Audit desk
desk-issue = Issue a report
desk-issued = Issued
desk-reception = Reception
desk-read = What I read
desk-scan = Scan a patient's code
desk-scan-text = Use the camera, a handheld scanner, or paste the link the patient sent.
desk-scan-link = Handheld scanner or link
ledger-fresh = Ledger checked { $time }
ledger-as-of = Ledger as of { $time }
ledger-unknown = Ledger not checked yet
ledger-forked = Two different ledgers
ledger-rewound = The ledger went back
enrol-title = Enrol this desk
enrol-text = Use the invitation from your organisation's administrator. It works once, within 24 hours.
enrol-link = Paste the invitation
enrol-note = The signing key is made in this browser and never leaves it.
enrol-done = Enrolled.
prepare-drop = Drop a report here
prepare-drop-note = One FHIR R4 JSON, with PDFs and pictures if you like.
prepare-pick = Choose files
prepare-samples = Or use a sample
sample-laboratory = Lipids and liver function
sample-laboratory-text = Laboratory report, 12 items, with PDF
sample-discharge = Discharge summary
sample-discharge-text = Orthopaedic stay
sample-fees = Fee list
sample-fees-text = That stay, 22 items
sample-imaging = X-ray of the knee
sample-imaging-text = Imaging report, with PDF and picture
sample-invoice = Invoice of a stay
sample-invoice-text = 9 lines, can be claimed
issue-step-choose = Choose
issue-step-check = Check
issue-step-hand = Issued, hand it over
issue-how = Issue in three steps
issue-how-text = Choose a report, check it, issue it. The patient scans its code, or it goes straight to the patient's wallet.
issue-check = Check, then issue
issue-check-text = Once issued it can't be changed, only corrected by a new version.
issue-sensitive = Sensitive record
issue-sensitive-note = HIV, psychiatric, genetic, reproductive: never part of a patient's bulk choice.
issue-go = Issue
issue-other = Choose another
issue-known = Straight to the wallet whose identity code was scanned
issue-known-drop = Use a ticket instead
issue-scan-identity = Scan the patient's identity code
issue-identity-link = Link of the identity code
issue-delivered = Delivered to the patient's wallet
issue-next = Issue the next
issued-today = Issued today
issued-none = Nothing issued yet.
issued-at = Time
issued-patient = Patient
issued-report = Report
issued-state = State
issued-waiting = Waiting, good until { $when }
issued-kept = Kept, { $when }
issued-cancelled = Cancelled, { $when }
issued-expired = Expired, nobody came
issued-corrected = Corrected by a new version
issued-actions = What can be done
correct = Correct
correct-what = Correct “{ $title }”, { $patient }
correct-text = Choose and issue the new report: it takes the old one's place. A code that nobody has kept yet becomes void; a patient who has kept it sees “Corrected”.
correct-not = Don't correct
correct-why = Why it is corrected
correct-content = The content was wrong
correct-addition = Something was missing
correct-person = It was about somebody else
issued-delivered = Delivered to the wallet
ticket-hand = Ask the patient to scan this
ticket-hand-text = With the phone's camera, or “Scan” in Suishen
ticket-code = Code for the patient to scan
ticket-print = Print the ticket
ticket-cancel = Cancel this code
ticket-cancel-why = Cancelled at the desk
void = Reverse or reissue
void-what = “{ $title }”, { $patient }. No insurer can settle it from then on, and this can't be undone.
void-paid = An insurer has already paid on it; it and the patient are told when they look
void-why = Why
void-reversed = Reversed (冲红): the invoice is withdrawn
void-on-paper = On paper (换开): it was issued again on paper
void-words = Words for the regulator (required)
void-do = Reverse: never settled again
void-do-on-paper = On paper: never settled here again
void-done = Reversed; it can’t be settled any more
void-done-on-paper = Issued on paper; it can’t be settled here any more
invoice-paid = Settled by an insurer
invoice-void = Reversed { $when }
invoice-on-paper = Issued on paper { $when }
ticket-open-here = Open here (same browser, for the demonstration)
slip-title = Report ticket
slip-issued = Issued { $date }
slip-until = Scan before { $when }. Can be kept once.
slip-foot = Scan with your phone's camera. If it opens in WeChat, choose “Open in browser”, top right. Whoever holds this paper can get the report: keep it safe.
offers-open = Open now
offers-over = Ended
offer-unnamed = Patient (name once opened)
ask-title = Ask the patient
ask-what = Which records
ask-length = For how long
ask-send = Ask
ask-waiting = The patient decides on the phone
ask-stop = Stop asking
offer-waiting = Waiting for the patient's yes
offer-waiting-text = The patient's phone shows your name and department.
offer-ready = The patient agreed
offer-ready-text = Each opening uses one read. It is written on the ledger first, and the patient sees it.
offer-read = Open the records
offer-left = { $records } { $records ->
    [one] record
   *[other] records
    }, { $left } left
offer-last-read = { $n ->
    [one] 1 record
   *[other] { $n } records
}, the last read: once closed it can’t be opened again
offer-revoked = Taken back by the patient
offer-revoked-text = It can't be opened any more. Ask the patient in person.
offer-exhausted = All reads used
offer-expired = Time is over
offer-expired-at = Ended { $when }
offer-over-text = To read again, ask the patient for a new code.
offer-refused = Did not check out, not opened
history-none = Nothing read yet
history-none-text = What you accept is listed here.
history-reads = Reads
reading-records = Records
reading-sound = Issued by { $issuer }, not changed since
reading-unsound = Issued by { $issuer }: did not check out
reading-opened = The records are open.
reading-done = Done, close
reading-entered = This reading is on the ledger
reading-entered-text = { $time }, { $entry }. The patient sees which records you opened.
withheld = { $n ->
    [one] 1 part not shown
   *[other] { $n } parts not shown
}
withheld-text = The patient did not show them. That doesn't mean there is nothing. Ask in person if needed.
withheld-text-claim = A claim doesn't need them, or the patient did not show them; lines of the invoice may be among them. If you need them, refuse with that reason: the patient can show the invoice anew.
scope-title = What the patient agreed to
scope-why = For
scope-what = May read
scope-until = Until
scope-left = Left
scope-reads = Reads left
scope-reads-of = { $left } of { $all }
audit-whole = Checkpoint verified { $time }. Entries are checked by the replay below
audit-as-of = The ledger as of { $time }
audit-unknown = The ledger is not checked yet
audit-forked = Two different ledgers bear one name: stop here, and tell the consortium's members
audit-rewound = The ledger is older than the one remembered: stop here, and tell the consortium's members
audit-by-this = Checked on this machine
audit-entries = Entries
audit-check = Check again
audit-more = More
audit-more-text = Changing keys, thresholds of your own and a part of the entries by number are the command line’s:
audit-keys = Audit keys
audit-keys-text = Choose box*.pem and audit*.pem from the auditor's folder of keys. They stay in this page's memory and go when it closes.
audit-keys-held = Quarters' keys at hand: { $quarters }, others: { $others }
audit-keys-unsigned = The auditor's signing key in force, audit*.pem, is missing: without it no look is recorded, and nothing is opened
audit-keys-due = Change the quarter's key in force before { $date }
audit-keys-overdue = The quarter's key in force was to be changed before { $date }; run suishen audit rotate
audit-keys-pick = Choose key files
audit-keys-forget = Forget the keys
audit-replay = Replay from entry 0
audit-replay-open = This look is written on the ledger first; then every signature and state is checked, and the audit boxes are opened.
audit-replay-closed = Every signature and state is checked. Without keys organisations are counted and no box is opened.
audit-why = Why you look
audit-period = What to look at
audit-period-whole = Whole ledger
audit-period-this = This quarter
audit-period-last = Last quarter
audit-period-days = Choose days
audit-period-from = From
audit-period-to = To (that day included)
audit-run = Begin
audit-done = Every signature, every change and both roots hold, as of { $time }
audit-of-days = What follows is of the days { $from } to { $to } only (Beijing time)
audit-reads = Reads
audit-records = Records
audit-sensitive = Sensitive
audit-nameless = Nameless
audit-no-key = Boxes without a key
audit-looks = The auditor’s looks
audit-findings = Findings
audit-findings-none = Nothing was found
audit-findings-unopened = Nothing found in what could be checked; { $n } boxes were not opened, and what is in them is not known
audit-findings-more = { $n } more, in the report
audit-entry = Entry
audit-kind = Kind
audit-what = What
audit-wrong = Wrong
audit-unusual = Unusual
audit-organisation = Organisation
audit-person = Person
audit-last = Last
audit-night = At night
audit-purpose = Purpose
audit-insurer = Insurer
audit-payer = Payer
audit-payer-statutory = Statutory
audit-payer-commercial = Commercial
audit-whole-paid = Whole
audit-partly-paid = In part
audit-taken-back = Taken back
audit-sum-unknown = Sum unknown
audit-claimed = Claimed
audit-paid = Paid
audit-claims = Claims
audit-by-hour = Reads by hour (Beijing time; the night is shaded)
audit-by-month = Reads by organisation and month
audit-by-organisation = By organisation
audit-by-person = By person (certificate)
audit-by-purpose = By purpose
audit-patients-key = A patient's own key, which names nobody
audit-claimed-name = { $name } (as the box claims, not proven)
audit-limits = The ledger cannot tell whether a read has a receipt (receipts go sealed to the patient), who a patient is, or what a record says, and holds no refused claims.
audit-limits-days = No read and no claim beyond these days was opened: an invoice that was settled before them is not recognised, and of the first and the last night only the reads within are counted.
audit-section-reads = Who read what
audit-section-statistics = Statistics
audit-section-keys = Keys
audit-section-ledger = Ledger
audit-each-read = Each read
audit-authority = On whose authority
audit-authority-of = patient { $holder }, consent { $consent }
audit-checked = Checked
class-ordinary = ordinary
class-hiv = HIV
class-psychiatric = psychiatric
class-genetic = genetic
class-reproductive = reproductive
class-other = sensitive otherwise
audit-proven = Name proven
audit-not-proven = Name not proven
audit-not-opened = No key, not opened
audit-reads-more = 50 more ({ $n } left)
audit-nothing-yet = Check the ledger from entry 0 first. Then there are statistics here.
audit-no-reads = No reads yet
audit-no-reads-days = No reads in these days
audit-as-table = As a table
audit-hour = Hour
audit-month = Month
audit-all-months = All months
audit-report-title = Report
audit-report = Download report and tables (ZIP)
audit-report-signed = Download the signed report (ZIP)
audit-report-page = Only the page to print (HTML)
audit-report-unsigned = No sealed box was opened, so the report is not signed. Check with your keys, and it is signed in the auditor’s name.
audit-report-signed-text = The ZIP holds a page to print, all lines as CSV files, and the signature of the auditor’s key, which names entry { $entry }, by which this look was logged. Check it with suishen audit --verify.
audit-report-cut = There are too many lines: here is the page to print alone. All lines: suishen audit --csv.
audit-report-saved = Saved { $name }
fault-audit-none = Nothing was checked yet, or the keys were forgotten. Check first, then download the report.
fault-audit-zip = The report could not be made. Try again, or use suishen audit --report.
boxed-grant = The patient's box
boxed-use = The box of a read
boxed-settlement = The box of a settlement
boxed-reversal = The box of a reversal
boxed-look = The box of an audit
finding-box-sealed = { $boxed } opens with no key that was in force
finding-box-other-quarter = { $boxed } is sealed to another quarter's key
finding-box-form = { $boxed } holds no account of such an entry
finding-box-other = { $boxed } is about something else than its entry
finding-box-certificate = { $boxed } names a certificate that the organisation did not issue
finding-box-role = { $boxed } names somebody not certified in that role
finding-box-presence = { $boxed } names somebody who did not sign for it
finding-records = No hospital registered the records that are listed
finding-two-tags = { $who } vouched for two tags of one invoice and payer; the other was settled in entry { $entry }
finding-settled-replaced = Settled although the invoice was replaced (entry { $entry })
finding-settled-cancelled = Settled although the invoice was taken back (entry { $entry })
finding-settled-suspended = Settled although its hospital was suspended (entry { $entry })
finding-anchor = The settlement is about a report that this hospital did not register
finding-paid-void = The hospital voided the invoice (entry { $entry }) and the payment was never taken back
finding-many-reads = { $reads } reads in one day; the median of peers is { $peers }
finding-night-reads = { $reads } reads in one night
finding-key-overdue = The key of the audit boxes is in force since { $time }; run suishen audit rotate
fault-audit-key = This is no key file of the auditor's; choose box*.pem or audit*.pem
fault-audit-no-signing = The auditor's signing key in force is missing; choose audit*.pem too
fault-audit-why = Say in 1 to 80 characters why you look
fault-audit-days = Choose both days, the first and the last
fault-audit-order = The last day is before the first; change one of them. Nothing was recorded
fault-audit-future = These days are not over yet; choose up to the ledger's today. Nothing was recorded
fault-audit-empty = The ledger has no entry of these days; choose others. Nothing was recorded
fault-audit-bounds = The times shown when these days were looked up are not those of the ledger, so there is no result and no signature. Check at another place, or check the whole ledger
fault-audit-entry = This entry of the ledger does not hold, and nothing after it was checked. Tell the members, and run suishen fsck
fault-audit-root = What the entries make is not what the checkpoint says. Tell the members, and run suishen fsck

## Faults: what happened

fault-safe = Your records are not affected.
fault-desk-safe = You can safely try again: nothing is done twice.
fault-code = Code { $code }
fault-unknown = Something unforeseen went wrong
fault-offline = No network: the service can't be reached
fault-engine = The wallet's program has stopped. Reload the page
fault-cut-short = The transfer broke off. Please try again
fault-release = Page and program are of different releases. Reload
fault-request = This request can't be read
fault-relay = The service did not do it
fault-store = The browser's storage can't be opened
fault-store-damaged = The stored data is damaged. This isn't a wrong passphrase
fault-coming = The content is still on its way. Open it again in a while
fault-elsewhere = The wallet is open in another tab
fault-locked = The wallet is locked. Open it first
fault-passphrase = Wrong passphrase. Check upper and lower case, or use the recovery page.
fault-passkey = Fingerprint or face did not match. Try again, or use the passphrase
fault-weak = The passphrase is too weak
fault-phrase = These aren't the recovery words. Check their order and spelling
fault-phrase-words = A word doesn't match. Look at your paper again
fault-phrase-gone = The recovery words are no longer on this phone
fault-backup = The backup file can't be read, or is another wallet's
fault-no-wallet = There is no wallet in this browser
fault-no-record = There is no such record
fault-no-file = There is no such attachment
fault-protect = Protect the wallet first
fault-tag = A tag has at most 24 characters
fault-ticket = The ticket can't be read. Ask the desk for another
fault-ticket-used = This code has been used. If not by you, ask the desk to cancel it and issue another.
fault-report = This report cannot be signed and was not issued
fault-not-kept = The report did not check out and was not kept
fault-content = The content doesn't match its signature and was not opened
fault-manifest = The report's list doesn't match its signature
fault-issuer = The issuing hospital isn't in the consortium, or is suspended
fault-fhir = The report's format can't be read
fault-no-report = No report has been chosen yet
fault-one-report = One report (JSON) at a time, with any number of attachments
fault-file-unread = The file could not be read
fault-attachment-type = Attachments are PDFs or pictures
fault-delivery = It could not be delivered to the patient's wallet
fault-gates = Not enough gates have answered
fault-gate-share = A gate's share of the key is wrong
fault-ledger-unsound = The ledger's proof does not hold
fault-ledger-forked = Two different ledgers: stop here, and tell the regulator
fault-ledger-rewound = The ledger is older than remembered: stop here, and tell the regulator
fault-split-view-here = You and the other side see different ledgers, so nothing was given. Show nothing to anybody, and tell the regulator
fault-split-view = Patient and institution see different ledgers, so nothing was opened; tell the regulator
fault-waiting = The patient has not said yes yet
fault-payload = What the patient sent did not check out; nothing was opened
fault-payload-holder = It is not proven that these records belong to whoever shows them; nothing was opened
fault-payload-consent = The records are not what the patient agreed to; nothing was opened
fault-payload-auditor = What the auditor is told is not what was sent to you; nothing was opened
fault-payload-cancelled = The hospital has taken one of these reports back; nothing was opened
fault-claim-cancelled = The hospital has taken this invoice back; it can't be settled
fault-payload-replaced = The hospital has issued a newer version of this invoice; ask the patient to show that one
fault-claim-no-invoice = There is no invoice here to claim for
fault-claim-runs = One insurer has it already. Take it back first, then ask another
fault-claim-settled-before = This part was settled before
fault-claim-amount = The amount isn't right: at most this insurance's part, with two decimals
fault-claim-reason = Say why in at most 80 characters; it can't be empty
fault-claim-suspended = The hospital was suspended when it issued this. Ask the regulator before anything is paid
fault-own-suspended = This institution is suspended, and the ledger takes no more of its decisions
fault-claim-tag = The claim tag isn't this hospital's, or not for this claim. Ask the patient to share again; if it is the same again, the hospital issues it anew
fault-claim-settled = This part was settled before
fault-claim-void = The hospital has reversed this invoice or issued it on paper; it can't be settled
fault-claim-withdrawn = The patient took it back, or its time is over: it can’t be settled any more
fault-claim-half = Something that must be shown is missing, so nothing was opened
fault-claim-several = There are several invoices in one consent and there may be one. Ask the patient to share them one by one
fault-revoke-underway = Not yet revoked: nothing has confirmed it. It is tried again by itself; you can also tap again
fault-claim-leaving = The last insurer's claim is being taken back and the ledger has not confirmed it. Try again shortly
fault-claim-underway = The last decision isn't confirmed by the ledger yet; wait for it
fault-claim-late = The ledger didn't take this decision in time. Decide again; should it stand later all the same, it shows here
fault-ledger-old = What is seen of the ledger isn't current, so nothing was done. Try again shortly
fault-void-no-invoice = This isn't an invoice that can be claimed
fault-void-underway = The ledger has not confirmed all of it; press once more
fault-correct-renumbered = The invoice number differs, so it is another invoice. Reverse the old one first, then issue the new one
fault-issue-void = An invoice of this number was reversed or issued on paper; it can't be issued for claims again
fault-no-grant = There is no such share on the ledger
fault-offer-role = This code is for another kind of institution and can't be opened here
fault-no-offer = This share isn't known here. Ask the patient for a new code
fault-not-a-consent = This isn't a code that a patient shows
fault-not-an-identity = This isn't a wallet's identity code
fault-closed = This reading is closed
fault-not-enrolled = This desk is not enrolled yet
fault-enrolment = Enrolment failed. Ask the administrator for a new invitation
fault-invite-link = This isn't an invitation
fault-credential = No credential for today could be had
fault-certificate-too-long = The certificate is too long
fault-scan-empty = This code is empty
fault-scan-too-long = This code is too long to be one of ours
fault-scan-damaged = This code is incomplete. Scan it again
fault-scan-not-https = This code's address isn't secure and was not opened
fault-qr-does-not-fit = The content does not fit a code
fault-qr-origin = The address does not fit a code
fault-backup-needed = Choose a backup file as well
fault-protected = The wallet is locked by a passkey or a passphrase already
fault-log-broken = The list of reads did not pass its check. Share nothing until this is cleared up
fault-no-anchor = The ledger does not have this record
fault-no-holder = The ledger does not have this wallet yet. Please try again
fault-no-slot = This wallet has no such way to be opened
fault-nobody-asks = Nobody is waiting for your yes
fault-other-person = Somebody else is waiting now. Please look again at the name
fault-other-wallet = These words belong to another wallet
fault-role = This device may not do that. Use one that may.
fault-wallet-here = There is a wallet in this browser already
fault-kept-damaged = The copy kept here is damaged and can't be opened. Put it away and have them add you again
fault-consult-gone = The doctor's desk has gone. Show the code again
fault-line-gone = The patient's phone can't be reached. Ask the patient to open Suishen, then try again
fault-line-over = The patient’s phone was locked, or this was taken back. Ask again
fault-line-old = The patient's phone runs another release. Reload the page on both
fault-line-busy = The patient is answering somebody else. Try again in a moment
fault-line-declined = The patient said no
fault-line-hung-up = No longer asked; nothing was given
fault-pairing-ended = The other device did not agree, or has gone
fault-pairing-gone = The device that showed this code has gone. Show a new one there
fault-pairing-unfinished = It was added but went before it had everything. If you don't know it, remove it under “My devices”
fault-pairing-old = The two devices run different releases. Reload the page on both
fault-device-removed = The mailbox says that this device was removed from the wallet
fault-mailbox-empty = The mailbox holds no such wallet. Check the words, or choose a backup file
fault-sync-refused = The other side didn't take everything. Compare again later
fault-sync-away = The mailbox can't be reached; changes wait
fault-share-bounds = The number of records, the time or the reads are out of bounds
fault-slot-tampered = A way to open this wallet was tampered with. Bring it back with the recovery page and a backup
fault-store-newer = This wallet was written by a newer version. Please reload the page
fault-removed = This phone was removed from the wallet. Use another of its devices, or the recovery page
fault-no-device = The wallet has no such device
fault-known-device = This device belongs, or once belonged, to the wallet. Begin anew on it
fault-too-many-devices = The wallet has as many devices as it can have. Remove one first
fault-admission = What the other device sent does not fit this one. Begin again on both
action-retry = Try again
action-scan = Scan another code
action-protect = Protect
action-unlock = Open the wallet
action-recover = Use the recovery page
action-ask-desk = Ask at the desk that issued it.
action-ask-patient = Ask the patient for a new code.

## The ledger's rejections, by number

reject-1 = Not in the ledger's form; refused
reject-2 = Too large for the ledger; refused
reject-3 = Too many at once, or none
reject-4 = No member of the consortium sponsors it
reject-5 = This hour's quota is used up. Try again later
reject-6 = It stands on the ledger already
reject-7 = The ledger is busy. Try again
reject-8 = The ledger's store is damaged. Tell the operator
reject-9 = A reason is needed, at most 500 bytes
reject-10 = The signature does not hold; refused
reject-11 = Not enough members' votes
reject-12 = The credential is not the organisation's
reject-13 = The acceptance does not match the code
reject-20 = The organisation is not in the consortium
reject-21 = The organisation is suspended
reject-22 = The organisation's certificate is not valid now
reject-23 = Not an organisation's certificate of this consortium
reject-24 = This certificate was registered before
reject-25 = Roles and keys do not go together
reject-26 = The organisation does not have this role
reject-27 = The sequence number does not follow
reject-28 = Only the auditor may do this
reject-29 = The organisation is suspended already
reject-30 = The credential has expired. Try again
reject-31 = The credential runs for too long
reject-32 = The credential is for another role
reject-40 = This wallet is registered already
reject-41 = This wallet is not on the ledger
reject-42 = This key is another wallet's
reject-50 = This report is registered already
reject-51 = There is no such report on the ledger
reject-52 = The report is another hospital's
reject-53 = A newer version has replaced it already
reject-54 = The ticket's term is over already
reject-55 = The report went straight to its patient; there is no ticket
reject-56 = This code has been used. If not by you, ask the desk to cancel it and issue another.
reject-57 = The ticket has expired. Ask the desk for another
reject-58 = The desk has cancelled this code. Ask for a new one
reject-60 = This share is registered already
reject-61 = There is no such share on the ledger
reject-62 = It took too long. Show a new code
reject-63 = The length is not allowed
reject-64 = The time to scan is not allowed
reject-65 = The number of reads is 1 to 1000
reject-66 = The number of records is 1 to 256
reject-67 = What goes to the auditor is not allowed
reject-68 = Somebody else has scanned this code before
reject-69 = The time to scan is over. Ask the patient for a new code
reject-70 = Nobody has scanned this code yet
reject-71 = Another doctor has scanned this code
reject-72 = The patient has taken it back. It can't be opened
reject-73 = The time is over. It can't be opened
reject-74 = All reads are used. It can't be opened
reject-75 = The number of this read does not follow. Try again
reject-76 = Too soon after the last read. Try again later
reject-77 = The records asked for are not among those shared
reject-78 = The acceptance names something else
reject-80 = A claim goes to an insurer. Choose one
reject-81 = The patient shared this to be read, not as a claim. Ask for a claim
reject-82 = This part of the bill is for another kind of insurer. Check the bill
reject-83 = Open the bill first, then settle it
reject-84 = The hospital did not vouch for this bill. Ask the hospital to issue it again
reject-85 = This settlement was not made with what the patient shared. Ask for a new claim
reject-86 = This settlement was made for another claim. Make it again from the bill
reject-87 = This part of the bill is settled already. It can't be settled twice
reject-88 = The hospital has reversed this bill or issued it on paper. It can't be settled
reject-89 = There is no settlement to take back
reject-90 = Another insurer settled this. Only that one can take it back
reject-91 = This bill is another hospital's
reject-92 = This reason is for the other side to give

## The gates' refusals

reject-101 = The gate's ledger does not know it yet
reject-102 = The gate can't read what was deposited
reject-103 = The gate does not accept this signature
reject-104 = The shares do not match the ledger
reject-105 = The gate has destroyed its key
reject-106 = This gate holds no key for it
reject-107 = No such reading stands on the ledger
reject-108 = Later than 10 minutes: no key was given
reject-109 = The patient has taken it back: no key was given
reject-110 = The reading organisation is suspended: no key was given
reject-111 = It has ended: no key was given
reject-112 = The gate's ledger is not up to date. Try again
reject-113 = No wallet keeps this report yet
reject-114 = The desk has cancelled this code: no key was given
reject-115 = The gate's store is damaged

## Claims

claims = Claims
claim-make = Claim from an insurer
claim-title = What the insurer sees
claim-payer = Kind of insurance
claim-commercial = Commercial insurance
claim-statutory = Statutory insurance
claim-total = Invoice total
claim-payable = Most that this insurance pays
claim-payable-unknown = The invoice doesn't say
claim-which-policy = Which policy
claim-shown = Shown
claim-lines = { $n ->
    [one] { $n } line
   *[other] { $n } lines
}
claim-hidden = { $n ->
    [one] { $n } piece stays hidden; the insurer sees only that
   *[other] { $n } pieces stay hidden; the insurer sees only how many
}
claim-along = Records that go along
claim-along-text = Diagnoses, condition and treatment in these records are shown, and may say what is hidden above. Only patient numbers, telephone and address stay hidden.
claim-piece-invoice = Invoice number, date, total, who paid how much
claim-piece-insured = Who is insured
claim-piece-hospital = The hospital
claim-piece-policy = Policy number
claim-piece-numbers = Patient and visit numbers
claim-piece-contact = Telephone and address
claim-piece-visit = The visit
claim-piece-other-policy = Other insurance
claim-piece-other = Other content
claim-gap-tag = The hospital gave nothing to settle this invoice with. Ask it to issue the invoice again
claim-gap-lines = The invoice has no lines; the insurer may ask
claim-gap-diagnosis = The invoice has no diagnosis; the insurer may ask
claim-gap-policy = The invoice has no policy of this kind
claim-gap-which = Pick one policy; the others are not shown
claim-gap-discharge = There is no discharge summary of this stay in the wallet; the insurer may ask. The hospital can send it first
claim-gap-fees = There is no fee list of this treatment in the wallet; the insurer may ask. The hospital can send it first
claim-gap-fees-differ = The fee list does not add up to the invoice. You may ask the hospital first
claim-gap-statutory-first = Statutory insurance hasn’t settled its part yet; it usually goes first
claim-fixed = Always shown
claim-consent = The insurer that scans the code ({ $payer }) may read **{ $shown } pieces** of this invoice to settle a claim, for **{ $length }** from now, at most **{ $reads } times**; the other { $hidden } stay hidden. You can take it back at any time; what was read stays read.
claim-consent-along = The insurer that scans the code ({ $payer }) may read **{ $shown } pieces** of this invoice and **{ $along }** to settle a claim, for **{ $length }** from now, at most **{ $reads } times**; the invoice's other { $hidden } stay hidden. You can take it back at any time; what was read stays read.
claim-show = Show the claim code
claim-open = Look, or stop showing it
claim-share-title = Have the insurer scan this
claim-share-waiting = Waiting for the insurer to scan. Then you still have to agree
claim-consent-certified = Identity certified by the insurer
claim-ends-before = Once the new code is shown, the insurer before can look at this invoice no more.
claim-consent-title = Let this insurer read?
claim-shared = Shown; nobody has read it yet
claim-read = The insurer read it { $when } and has not decided yet
claim-settled = Paid { $paid } { $when }, everything
claim-settled-partly = Paid { $paid } { $when }. Not everything: { $why }
claim-settled-untold = Settled { $when }; how much is not verified yet
claim-refused = Not paid: { $text }. You can ask another insurer
claim-refused-over = Not paid: { $text }
claim-reversed = { $when } the insurer took its settlement back: { $why }
claim-reversed-untold = { $when } the insurer took its settlement back; its words are not verified yet
claim-over = Taken back or ended without a settlement
claim-asked = An insurer has scanned it and waits for your yes
claim-agreed = You agreed; the insurer has not read it yet
claim-leaving = Being taken back; the ledger has not confirmed it yet
claim-void = The hospital reversed this invoice { $when }; it can no longer be claimed
claim-on-paper = The hospital issued this invoice on paper { $when }; it can no longer be claimed here
claim-void-paid = An insurer has paid on it and may ask for it back. Ask hospital and insurer
claim-foreign = This invoice ({ $payer }) was settled under a consent that this wallet did not give
claim-foreign-text = If you gave it with another phone or an earlier wallet, that is it. If not, report this to the regulator
claims-as-of = Claims as of { $time }
claims-as-of-more = What came later shows once you’re online.
claim-alarm-auditor = The insurer told you something else than the regulator. Report this to the regulator
claim-alarm-other = The insurer speaks of another invoice or other sums. Report this to the regulator
claim-alarm-contradicts = The insurer says that it refused, and the ledger says that it settled. Report this to the regulator
desk-insurer = Claims desk
settle-title = Claim
settle-slot = Part to settle
settle-fees-none = No fee list was shown with it
settle-fees = Fee list: { $items } items, { $sum } together, which is the invoice’s total
settle-fees-differ = Fee list: { $items } items, { $sum } together, which is not the invoice’s total of { $total }
settle-fees-currencies = The fee list is in several currencies and can’t be summed up
settle-lines = Invoice: { $items } lines, { $sum } together, which is its total
settle-lines-some = Invoice: { $items } lines are shown, { $sum } of { $total }
settle-lines-none = No lines of the invoice are shown to hold against its total
settle-statutory-first = The invoice has { $sum } for statutory insurance, which usually settles first. Whether it has can’t be seen here
settle-amount = Amount paid
settle-reason = Why not everything, or why refused
settle-reason-refuse = Why it is refused
settle-unclear = The sums of the invoice do not add up: it cannot be settled here, only refused
settle-returned = Taken back; { $paid } had been settled
settle-again = Decide again
settle = Settle
settle-refuse = Refuse
settle-refused = Refused
settle-settled = Settled { $paid }
settle-flagged = Settled { $paid }, but the hospital has since reversed this invoice or issued it on paper
settle-underway = Sent; the ledger has not confirmed it. May be decided anew after { $when }
settle-overtaken = Another insurer settled this part first; your decision is not on the ledger. Should they take it back before { $when }, yours may still be taken
settle-look = Look at the ledger again
desk-settled = Decided here
settled-none = Nothing decided yet
settled-none-text = Claims settled or refused on this computer are listed here.
settled-invoice = Invoice
settled-refused = Refused: { $why }
settled-taken-back = Taken back; this part is open again
take-back = Take the settlement back
take-back-why = Why
take-back-error = Settled in error
take-back-duplicate = Paid elsewhere
take-back-paid = The payment came back
take-back-words = Words for patient and regulator (required)
take-back-not = Keep the settlement
take-back-of = { $patient }, { $when }, { $paid }
