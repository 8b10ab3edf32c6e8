# 随身，简体中文。每个键在 en.ftl 里都有同样的一条。

## 通用

suishen = 随身
other-language = English
list-comma = 、
date = { $month } 月 { $day } 日
date-year = { $year } 年 { $month } 月 { $day } 日
when-today = 今天 { $time }
when-tomorrow = 明天 { $time }
when-yesterday = 昨天 { $time }
when-day = { $date } { $time }
month-1 = 1 月
month-2 = 2 月
month-3 = 3 月
month-4 = 4 月
month-5 = 5 月
month-6 = 6 月
month-7 = 7 月
month-8 = 8 月
month-9 = 9 月
month-10 = 10 月
month-11 = 11 月
month-12 = 12 月
days = { $n } 天
hours = { $n } 小时
minutes = { $n } 分钟
seconds = { $n } 秒
left-hours = { $a } 小时 { $b } 分
left-minutes = { $a } 分 { $b } 秒

## 开始页

start-title = 一份病历的来龙去脉
start-lead = 在这一个浏览器里，把每个角色都演一遍。医院、患者、医生都有自己的网址，各存各的东西。
start-issue = 医院签发
start-issue-text = 用邀请链接登记签发台，选一份示例报告，签发，得到一个二维码。
start-keep = 患者领取
start-keep-text = 扫码、粘贴或打开链接，点一下“收下”。先看到报告，再给钱包加一道锁。
start-share = 给医生看
start-share-text = 患者挑病历、定时间和次数，出示二维码。医生扫了以后，患者看到名字再点“同意”。
start-read = 医生阅读
start-read-text = 每看一次，账本上先记一笔，才拿得到钥匙。换一位医生，同一个码就打不开。
start-check = 谁看过，一次不少
start-check-text = 患者的手机自己核对账本。第二个钱包来领同一张单子，会被拒绝并说明原因。
start-note = 这里的人和医院都是虚构的，签名、证书和账本都是真的。
role-hospital = 医院签发台
role-patient = 患者手机
role-patient2 = 另一位患者
role-doctor = 医生阅读台
role-doctor2 = 另一位医生
role-auditor = 审计台
revoke-title = 不再给{ $who }看？
