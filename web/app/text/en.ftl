# Suishen in English. Each key has the same in zh-CN.ftl.

## Everywhere

suishen = Suishen
other-language = 中文
list-comma = , 
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
start-check = Who read it, none missing
start-check-text = The patient's phone checks the ledger itself. A second wallet that brings the same ticket is refused, with the reason.
start-note = People and hospitals here are invented. Signatures, certificates and ledger are real.
role-hospital = Hospital desk
role-patient = Patient's phone
role-patient2 = Another patient
role-doctor = Doctor's desk
role-doctor2 = Another doctor
role-auditor = Auditor's desk
revoke-title = No longer let { $who } read?
