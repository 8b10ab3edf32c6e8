//! What the contract and the gate refuse, as problems: their number and status, a sentence in both languages.
//! The English one is theirs; the Chinese ones stand here.

use super::problem::{Problem, Text};
use axum::http::StatusCode;
use suishen_core::{contract::Rejection, gate::GateRefusal};

/// A rejection by the contract.
pub fn rejected(rejection: Rejection) -> Problem {
    problem(rejection.status(), rejection.number(), rejection.to_string())
}

/// A refusal by the gate.
pub fn gate(refusal: GateRefusal) -> Problem {
    problem(refusal.status(), refusal.number(), refusal.to_string())
}

fn problem(status: u16, number: u16, english: String) -> Problem {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let chinese = chinese(number).unwrap_or("账本不接受这笔登记");
    Problem::numbered(status, number, Text::new(chinese, english), action(status))
}

/// What to do, as far as the kind of refusal tells.
fn action(status: StatusCode) -> Text {
    match status.as_u16() {
        400 | 413 => Text::new("请更新页面后再试", "Reload the page and try again"),
        429 | 503 => Text::new("请稍后再试", "Try again in a moment"),
        500 => Text::new("请联系中继站运营方", "Tell the relay's operator"),
        409 | 404 => Text::new("请刷新后查看现在的状态", "Look at its present state and start again"),
        _ => Text::new("请确认授权与登记仍然有效", "Check that consent and registration still stand"),
    }
}

fn chinese(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "不是规范编码的登记",
        2 => "登记超过 64 KiB",
        3 => "一批须有 1 到 256 笔登记",
        4 => "没有联盟成员为它担保",
        5 => "担保成员本小时的配额已用完",
        6 => "这笔登记已在账本上",
        7 => "登记的编号或时间与上一笔不相接",
        8 | 115 => "存储的数据无法读取：存储已损坏",
        9 => "原因须有 1 到 500 字节",
        10 => "签名不是这笔登记在本账本上所需的密钥所签",
        11 => "须由足够多的不同成员投票，且别无其他签名",
        12 => "凭证不是由该机构的签发密钥所签",
        13 => "接受书不是由授权的邀约密钥所签",
        20 => "该机构没有登记",
        21 => "该机构已被暂停",
        22 => "该机构的证书此时无效",
        23 => "这不是联盟根证书下有效的机构证书",
        24 => "这个序列号的证书以前登记过",
        25 => "角色与密钥不相配",
        26 => "该机构没有这个角色",
        27 => "序号与上一个不相接",
        28 => "只有审计方可以这样做",
        29 => "该机构从那时或更早起已被暂停",
        30 => "凭证已过期",
        31 => "凭证的有效期最长 24 小时",
        32 => "凭证是另一个角色的",
        40 => "这个持有者已经登记",
        41 => "没有这个持有者",
        42 => "这把根密钥属于另一个持有者",
        50 => "这份报告已经登记",
        51 => "没有这份报告",
        52 => "这份报告属于另一家机构",
        53 => "这份报告此前已被新版本替换",
        54 => "凭条的期限已经过去",
        55 => "这份报告直接发给了已知的患者，没有凭条可领",
        56 => "这份报告已被另一个钱包收下",
        57 => "凭条已过期",
        58 | 114 => "凭条已被医院作废",
        60 => "用这把密钥的授权已经存在",
        61 => "没有这项授权",
        62 => "这项授权登记的时限已过，或定在 10 分钟以后",
        63 => "时长为零或超出上限",
        64 => "接受时限须为 1 秒到 30 分钟，且不超过时长的一半",
        65 => "授权可用 1 到 1000 次",
        66 => "授权可含 1 到 256 份记录",
        67 => "审计盒的大小不合规定",
        68 => "这项授权已被别人接受",
        69 => "接受的时限已过",
        70 => "这项授权还没有人接受",
        71 => "这项授权是别人接受的",
        72 => "患者已收回这项授权",
        73 => "这项授权已到期",
        74 => "这项授权的次数已用完",
        75 => "使用的编号与上一次不相接",
        76 => "距上次使用的间隔还不够",
        77 => "记录编号须递增，且小于授权的记录数",
        78 => "接受书写的是另一项授权或另外的密钥",
        80 => "理赔授权只能给保险机构",
        81 => "这份授权不是理赔授权",
        82 => "这个报销份额归另一类保险机构",
        83 => "还没有用这份授权打开过内容",
        84 => "凭证不是所写医院的凭证密钥签的",
        85 => "证明不是这个标签的密钥签的",
        86 => "证明写的是别的授权或别的密钥",
        87 => "这张票据的这个份额已经结算过",
        88 => "医院已将这张票据冲红或换开纸质票据",
        89 => "没有可以撤销的结算",
        90 => "这笔结算是别的保险机构或用别的授权做的",
        91 => "凭证是别的医院的",
        92 => "这个原因应由另一方来写",
        101 => "本站的账本还不知道这项授权或凭条",
        102 => "分片无法读取，或不是封给本站当日密钥的",
        103 => "签名不是所需的密钥所签",
        104 => "分片与账本上的承诺不符",
        105 => "本站已销毁这份分片",
        106 => "本站没有这份分片",
        107 => "账本上没有这次查阅",
        108 => "这次查阅已超过 10 分钟",
        109 => "患者已收回授权",
        110 => "查阅机构已被暂停",
        111 => "已到期",
        112 => "本站的账本不是最新的",
        113 => "还没有钱包收下这份报告",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_number_and_a_chinese_sentence() {
        let numbers: Vec<u16> = Rejection::ALL
            .iter()
            .map(Rejection::number)
            .chain(GateRefusal::ALL.iter().map(GateRefusal::number))
            .collect();
        for number in &numbers {
            assert!(chinese(*number).is_some(), "{number}");
        }
        let distinct: std::collections::BTreeSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len());
        assert_eq!(rejected(Rejection::GrantRevoked).code(), "72");
    }
}
