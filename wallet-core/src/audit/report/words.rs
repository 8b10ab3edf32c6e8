//! The words of a report, in Chinese and English; the sentence for each kind of finding.

use crate::audit::{Boxed, Finding, Gone, Signer, Tables, Wrong, clock};
use crate::consent::{BoxFault, Decision};
use crate::contract::{ReversalReason, Role, Slot};
use crate::report::Sensitivity;

/// The language of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// One of two.
    pub const fn say(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }

    /// As HTML names it.
    pub const fn tag(self) -> &'static str {
        self.say("zh-CN", "en")
    }

    /// What somebody acts as.
    pub const fn role(self, role: Role) -> &'static str {
        match role {
            Role::Issuer => self.say("出具机构", "issuer"),
            Role::Physician => self.say("医师", "physician"),
            Role::InsurerStatutory => self.say("医保经办", "statutory insurer"),
            Role::InsurerCommercial => self.say("商业保险", "commercial insurer"),
            Role::Pharmacist => self.say("药师", "pharmacist"),
            Role::Auditor => self.say("审计员", "auditor"),
        }
    }

    /// A class of data.
    pub const fn class(self, class: Sensitivity) -> &'static str {
        match class {
            Sensitivity::Ordinary => self.say("一般", "ordinary"),
            Sensitivity::Hiv => self.say("艾滋病相关", "HIV"),
            Sensitivity::Psychiatric => self.say("精神科", "psychiatric"),
            Sensitivity::Genetic => self.say("遗传", "genetic"),
            Sensitivity::Reproductive => self.say("生殖健康", "reproductive"),
            Sensitivity::Other => self.say("其他敏感", "sensitive otherwise"),
        }
    }

    /// A payer slot.
    pub const fn slot(self, slot: Slot) -> &'static str {
        match slot {
            Slot::Statutory => self.say("医保", "statutory"),
            Slot::Commercial => self.say("商保", "commercial"),
        }
    }

    /// What an insurer decided.
    pub const fn decision(self, decision: Decision) -> &'static str {
        match decision {
            Decision::Whole => self.say("全额", "whole"),
            Decision::Partly => self.say("部分", "partly"),
            Decision::Refused => self.say("拒付", "refused"),
        }
    }

    /// Why a settlement or an invoice was taken back.
    pub const fn reason(self, why: ReversalReason) -> &'static str {
        match why {
            ReversalReason::Error => self.say("结算有误", "settled in error"),
            ReversalReason::Duplicate => self.say("重复报销", "paid for elsewhere"),
            ReversalReason::PaidBack => self.say("款项退回", "paid back"),
            ReversalReason::Reversed => self.say("票据冲红", "invoice reversed"),
            ReversalReason::OnPaper => self.say("换开纸质票据", "issued on paper"),
        }
    }

    /// The name of a purpose; a code that is not known stays as it is.
    pub fn purpose(self, code: &str) -> String {
        let known = match code {
            "TREAT" => self.say("诊疗", "treatment"),
            "COC" => self.say("转诊协作", "coordination of care"),
            "ETREAT" => self.say("急救", "emergency"),
            "HPAYMT" => self.say("理赔", "payment"),
            "PATRQT" => self.say("本人要求", "the patient's own request"),
            other => return other.to_owned(),
        };
        format!("{known} ({code})")
    }

    const fn boxed(self, boxed: Boxed) -> &'static str {
        match boxed {
            Boxed::Grant => self.say("授权的审计盒", "The grant's box"),
            Boxed::Use => self.say("读取的审计盒", "The box of a read"),
            Boxed::Settlement => self.say("结算的审计盒", "The box of a settlement"),
            Boxed::Reversal => self.say("撤销的审计盒", "The box of a reversal"),
            Boxed::Look => self.say("审计记录盒", "The box of an audit"),
        }
    }

    const fn fault(self, fault: BoxFault) -> &'static str {
        match fault {
            BoxFault::Sealed => self.say("用当时有效的密钥打不开", "opens with no key that was in force"),
            BoxFault::OtherQuarter => self.say("封给了另一季度的密钥", "is sealed to another quarter's key"),
            BoxFault::Form => self.say("内容不成其为说明", "holds no account of such an entry"),
            BoxFault::Other => self.say("所说与本条目不符", "is about something else than its entry"),
            BoxFault::Certificate => {
                self.say("证书不是该机构签发的", "names a certificate that the organisation did not issue")
            }
            BoxFault::Role => {
                self.say("所列人员没有该角色的证书", "names somebody not certified in that role")
            }
            BoxFault::Presence => {
                self.say("所列人员没有为本条目签名", "names somebody who did not sign for it")
            }
        }
    }

    /// What is wrong, as a sentence.
    pub fn wrong(self, what: &Wrong, tables: &Tables) -> String {
        let zh = self == Self::Chinese;
        match what {
            Wrong::Box(boxed, fault) => {
                let (boxed, fault) = (self.boxed(*boxed), self.fault(*fault));
                if zh { format!("{boxed}{fault}") } else { format!("{boxed} {fault}") }
            }
            Wrong::Records => self
                .say("授权所列的记录在账本上没有锚定", "The grant lists a record that no hospital anchored")
                .to_owned(),
            Wrong::TwoTags { issuer, first: (entry, by), both } => {
                let (issuer, by) = (tables.named(issuer), tables.named(by));
                match (zh, both) {
                    (true, true) => format!(
                        "{issuer}为同一票据同一支付方开出两个标签，条目 {entry}（{by}）与本条目都已支付"
                    ),
                    (true, false) => {
                        format!("{issuer}为同一票据同一支付方开出两个标签，条目 {entry}（{by}）此前已撤销")
                    }
                    (false, true) => format!(
                        "{issuer} vouched for two tags of one invoice and slot; entry {entry} ({by}) and this one are both paid"
                    ),
                    (false, false) => format!(
                        "{issuer} vouched for two tags of one invoice and slot; entry {entry} ({by}) was taken back before"
                    ),
                }
            }
            Wrong::Settled(gone, entry) => {
                let gone = match gone {
                    Gone::Replaced => {
                        self.say("票据已被更正（条目", "Settled although the invoice was replaced (entry")
                    }
                    Gone::Cancelled => {
                        self.say("票据已被撤回（条目", "Settled although the invoice was taken back (entry")
                    }
                    Gone::Suspended => self
                        .say("出具机构已被停权（条目", "Settled although its hospital was suspended (entry"),
                };
                if zh {
                    format!("{gone} {entry}），之后仍被结算")
                } else {
                    format!("{gone} {entry})")
                }
            }
            Wrong::Anchor => self
                .say(
                    "结算所指的报告未由该医院锚定",
                    "The settlement is about a report that this hospital did not anchor",
                )
                .to_owned(),
            Wrong::PaidVoid { void } => {
                if zh {
                    format!("票据已由医院作废（条目 {void}），支付至今没有撤销")
                } else {
                    format!(
                        "The hospital voided the invoice (entry {void}) and the payment was never taken back"
                    )
                }
            }
            Wrong::ManyReads { reads, peers } => {
                let peers = peers.map_or_else(|| "–".to_owned(), |peers| peers.to_string());
                if zh {
                    format!("一个时段内读取 {reads} 次，同类人员中位数 {peers}")
                } else {
                    format!("{reads} reads in one window; the median of peers is {peers}")
                }
            }
            Wrong::NightReads { reads } => {
                if zh {
                    format!("一夜之内读取 {reads} 次")
                } else {
                    format!("{reads} reads in one night")
                }
            }
            Wrong::KeyOverdue { since } => {
                let since = local(*since);
                if zh {
                    format!("审计盒密钥自 {since} 起未更换：运行 suishen audit rotate")
                } else {
                    format!("The box key is in force since {since}: run suishen audit rotate")
                }
            }
        }
    }

    /// Who answers for a finding; a name that isn't proven is marked as the box's claim.
    pub fn signer(self, finding: &Finding, tables: &Tables) -> (String, String) {
        let Signer { party, role, person, proven, .. } = &finding.signer;
        let party = party.as_ref().map(|party| tables.named(party).to_owned());
        let party = match (party, role) {
            (Some(party), Some(role)) => format!("{party} · {}", self.role(*role)),
            (Some(party), None) => party,
            (None, _) => {
                self.say("患者授权密钥（不具名）", "a patient's grant key, which names nobody").to_owned()
            }
        };
        let person = person.as_ref().map_or_else(String::new, |person| {
            let name = person.described();
            if *proven {
                name
            } else {
                format!("{name} {}", self.say("（盒内自称，未证实）", "(as the box claims, not proven)"))
            }
        });
        (party, person)
    }
}

/// A moment by the clock in China: `2026-11-21 17:14`.
pub fn local(at: u64) -> String {
    format!("{} {:02}:{:02}", clock::written(clock::day(at)), clock::hour(at), clock::minute(at))
}

/// Hundredths as a sum: `1,280.50`.
pub fn sum(hundredths: u128) -> String {
    let whole = (hundredths / 100).to_string();
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{:02}", hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_moments_read_as_people_write_them() {
        assert_eq!([0, 5, 128_050, 123_456_789].map(sum), ["0.00", "0.05", "1,280.50", "1,234,567.89"]);
        assert_eq!(local(1_795_252_494), "2026-11-21 17:14");
    }
}
