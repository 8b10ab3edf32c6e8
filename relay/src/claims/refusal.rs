//! What an insurer's server doesn't do, each with its code, a sentence and what to do, in both languages.

use crate::http::{Problem, Text};
use axum::http::StatusCode;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:ident,
        $zh:literal / $en:literal, $act_zh:literal / $act_en:literal;)*) => {
        /// Why something isn't done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            $($(#[$doc])* #[error($en)] $name,)*
        }

        impl Refusal {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }

        impl From<Refusal> for Problem {
            fn from(refusal: Refusal) -> Self {
                match refusal {
                    $(Refusal::$name => Self::named(
                        StatusCode::$status,
                        $code,
                        Text::new($zh, $en),
                        Text::new($act_zh, $act_en),
                    ),)*
                }
            }
        }
    };
}

refusals! {
    /// No signature that holds.
    Unsigned "unsigned" UNAUTHORIZED, "请求的签名缺失或无效" / "The request's signature is missing or does not hold",
        "请按 /v1/openapi.json 的说明用已登记的密钥签名" / "Sign it with a registered key, as /v1/openapi.json says";
    /// Too old, from the future, or used before.
    Stale "stale" UNAUTHORIZED, "请求的签名已过时或已用过" / "The request's signature is too old or was used before",
        "请以 /v1/info 的时间和新的随机数重新签名" / "Sign anew, by the time of /v1/info and with a fresh nonce";
    /// The body isn't the one that was signed.
    Digest "digest" UNPROCESSABLE_ENTITY, "内容与其摘要不符" / "The content does not match its digest",
        "请重新计算 Content-Digest 并签名" / "Compute Content-Digest anew and sign";
    /// Nobody registered the key.
    UnknownKey "unknown-key" UNAUTHORIZED, "签名的密钥没有登记" / "The key that signed is not registered",
        "请运营方用 suishen claims key add 登记" / "Ask the operator to register it with suishen claims key add";
    /// Over the rate limit.
    TooMany "too-many" TOO_MANY_REQUESTS, "请求太频繁" / "Too many requests",
        "请稍后再试" / "Try again in a moment";
    /// A POST without its key, or with one that isn't.
    NoIdempotencyKey "idempotency-key-missing" BAD_REQUEST, "缺少 Idempotency-Key，或它不是 1 到 64 个可见 ASCII 字符" / "Idempotency-Key is missing, or is not 1 to 64 visible ASCII characters",
        "请为每项操作生成一个新的值" / "Make a new one for each thing to be done";
    /// The key was used for something else.
    IdempotencyKey "idempotency-key-used" UNPROCESSABLE_ENTITY, "这个 Idempotency-Key 已用于另一项请求" / "This Idempotency-Key was used for another request",
        "请使用新的值" / "Use a new one";
    /// The same request is being answered.
    InProgress "in-progress" CONFLICT, "同一请求正在处理" / "The same request is being answered",
        "请稍后重发" / "Send it again in a moment";
    /// More items than a batch takes, or none.
    Batch "batch-size" UNPROCESSABLE_ENTITY, "一批须有 1 到 100 项" / "A batch has 1 to 100 items",
        "请拆成几批" / "Split it";
    /// A cursor that was never given.
    Cursor "unknown-cursor" BAD_REQUEST, "游标无效" / "This cursor was never given out",
        "请从头开始，或使用上一页给出的游标" / "Begin anew, or use the cursor of the page before";
    /// Events from before what is kept.
    CursorGone "cursor-gone" GONE, "游标所指的事件已不再保留" / "The events after this cursor are no longer kept",
        "请从 /v1/claims 重新读取" / "Read /v1/claims anew, then begin without a cursor";
    /// Not an address that is called.
    WebhookUrl "webhook-url" UNPROCESSABLE_ENTITY, "通知地址须为 https，且不含用户名、密码或片段" / "A webhook is an https address without user, password or fragment",
        "请检查地址" / "Check the address";
    /// An address inside.
    WebhookPrivate "webhook-private" UNPROCESSABLE_ENTITY, "通知地址指向内部网络，或无法解析" / "The webhook's host is on a private network, or has no address",
        "请使用公网可达的主机名" / "Use a host that is reached over the public network";
    /// None is set.
    NoWebhook "no-webhook" NOT_FOUND, "没有设置通知地址" / "There is no webhook",
        "请用 PUT 设置" / "Set one with PUT";
    /// The relay is away, or what it shows doesn't hold.
    Ledger "ledger" SERVICE_UNAVAILABLE, "此刻无法从中继站得到账本的可信状态" / "The ledger cannot be had from the relay, proven, right now",
        "请稍后用同一 Idempotency-Key 重试；如仍出错，请联系运营方" / "Try again with the same Idempotency-Key; if it stays, tell the operator";
    /// Our own fault.
    Failed "failed" INTERNAL_SERVER_ERROR, "服务器出错了" / "The server failed",
        "请稍后再试；如仍出错，请联系运营方" / "Try again later; if it stays, tell the operator";
    /// The certificate isn't that of an insurer's server.
    NotAServer "not-a-server" FORBIDDEN, "这份邀请不是给保险机构服务器的" / "The invite or certificate is not that of an insurer's server",
        "请用 suishen invite --server 以保险角色重新邀请" / "Invite it with suishen invite --server in an insurer's role";
    /// Not a link that a patient made for an insurer.
    NotAConsent "not-a-consent" UNPROCESSABLE_ENTITY, "这不是患者出示的理赔链接，或链接已损坏" / "This is not a claim link of a patient, or it is damaged",
        "请让患者重新出示，并复制完整链接" / "Ask the patient to show it again, and copy the whole link";
    /// The ledger doesn't have the grant.
    NoGrant "no-grant" NOT_FOUND, "账本上没有这份授权" / "The ledger does not have this consent",
        "请让患者重新出示" / "Ask the patient to show it again";
    /// For a doctor, or for the other class of insurer.
    OtherRole "other-role" FORBIDDEN, "患者的授权不是给这类保险机构的" / "The patient's consent is not for this class of insurer",
        "请让患者选择正确的保险类别" / "Ask the patient to choose the class of insurer that you are";
    /// The insurer is suspended.
    Suspended "suspended" FORBIDDEN, "本机构或本服务器已被暂停" / "This insurer, or its server, is suspended",
        "请联系联盟或本机构管理员" / "Ask the consortium or your organisation's administrator";
    /// Nobody accepted it in time.
    TooLate "too-late" GONE, "理赔链接已过期" / "The claim link has expired",
        "请让患者重新出示" / "Ask the patient to show it again";
    /// Another desk has it.
    Taken "taken" CONFLICT, "已有其他机构接受这份理赔" / "Another desk has accepted this claim",
        "请让患者重新出示给本机构" / "Ask the patient to show it to you again";
    /// Taken back by the patient.
    Revoked "revoked" GONE, "患者已撤回授权" / "The patient took the consent back",
        "请联系患者" / "Ask the patient";
    /// The consent has ended.
    Ended "ended" GONE, "患者的授权已到期" / "The patient's consent has ended",
        "请让患者重新出示" / "Ask the patient to show it again";
    /// No such claim here.
    NoClaim "no-claim" NOT_FOUND, "这里没有这份理赔" / "There is no such claim here",
        "请检查编号，或先提交患者的链接" / "Check the id, or send the patient's link first";
    /// A decision before the invoice was opened.
    NotOpened "not-opened" CONFLICT, "票据尚未打开，不能作决定" / "The invoice has not been opened, nothing can be decided",
        "请等到状态变为 open" / "Wait until its state is open";
    /// More than the invoice leaves to this class of insurer, or no sum.
    Amount "amount" UNPROCESSABLE_ENTITY, "金额无效，或超过票据留给本类保险的部分" / "The amount is not one, or is more than the invoice leaves to this class of insurer",
        "请填写不超过 payable 的金额，如 1280.50" / "Give at most the payable amount, such as 1280.50";
    /// Less than all without a reason, or one too long.
    Reason "reason" UNPROCESSABLE_ENTITY, "未全额赔付须写明理由，最多 240 字节" / "What is paid in part or not at all needs a reason, of at most 240 bytes",
        "请用约 80 个汉字以内写明理由" / "Say why in 1 to 240 bytes";
    /// The invoice doesn't say who pays.
    Shares "shares" UNPROCESSABLE_ENTITY, "票据没有写明各方承担的金额" / "The invoice does not say who pays how much",
        "请让患者提供结算单，或拒绝赔付" / "Ask the patient for the fund's statement, or refuse";
    /// Something else is being said.
    Deciding "deciding" CONFLICT, "上一个决定还没有结果" / "The decision before this one has no result yet",
        "请稍候；最多十分钟后账本会给出结果" / "Wait: within ten minutes the ledger shows what became of it";
    /// Settled here already.
    Decided "decided" CONFLICT, "本理赔已结算" / "This claim is settled",
        "如需更改，请先撤销结算" / "Reverse the settlement before anything else is decided";
    /// Nothing to take back.
    NotSettled "not-settled" CONFLICT, "本理赔没有可撤销的结算" / "There is no settlement of this claim to reverse",
        "请检查状态" / "Check its state";
    /// The slot is settled, here or elsewhere.
    SettledElsewhere "settled-elsewhere" CONFLICT, "票据的这一部分已由其他理赔结算" / "This part of the invoice was settled under another claim",
        "请向患者核实，或拒绝赔付" / "Ask the patient, or refuse";
    /// 冲红 or 换开.
    Void "void" CONFLICT, "医院已冲红或换开这张票据" / "The hospital has reversed this invoice or issued it on paper",
        "请拒绝赔付，并让患者出示新票据" / "Refuse, and ask the patient for the new invoice";
    /// There is a newer version.
    Replaced "replaced" CONFLICT, "医院已更正这张票据" / "The hospital has replaced this invoice",
        "请让患者出示新的版本" / "Ask the patient to share the newer one";
    /// The hospital took it back.
    Cancelled "cancelled" CONFLICT, "医院已收回这张票据" / "The hospital has taken this invoice back",
        "请拒绝赔付" / "Refuse";
    /// The hospital was suspended when it issued.
    HospitalSuspended "hospital-suspended" CONFLICT, "出具票据的医院当时已被暂停" / "The hospital was suspended when it issued this invoice",
        "赔付前请询问监管机构" / "Ask the regulator before anything is paid";
    /// The tag isn't the hospital's.
    Tag "claim-tag" CONFLICT, "理赔标签不是这家医院认可的" / "The claim tag is not one that this hospital vouched for",
        "请让医院重新出具票据" / "Ask the hospital to issue the invoice again";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_has_a_code_of_its_own() {
        let codes: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert_eq!(Problem::from(*refusal).code(), refusal.code());
            assert!(refusal.to_string().is_ascii());
        }
    }
}
