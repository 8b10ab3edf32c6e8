//! Codes that others print. Each is recognised by its form and has its own sentence; none is kept here, none
//! is called genuine (FIELD.md). What can be imported is imported elsewhere, from the same text.

/// Somebody else's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foreign {
    /// `shc:/…`
    SmartHealthCard,
    /// `shlink:/…`, or a viewer's address with it in the fragment.
    SmartHealthLink,
    /// `HC1:…`
    EuHealthCertificate,
    /// 医保码: 28 characters, a payment credential. Nothing of it may be stored.
    InsurancePayment,
    /// 电子健康卡: opaque, a key to link identities and no proof.
    HealthCard,
    /// 税务发票 `01,…`
    TaxInvoice,
    /// The address of a provincial e-bill service, or a bill's numbers.
    MedicalBill,
    /// `WeChat` or Alipay wants money, or shows who pays.
    Payment,
    /// 药品追溯码: 20 digits.
    DrugTrace,
    /// The number of a slip, wristband or tube.
    SlipNumber,
    /// A person's ID number. Nothing of it may be stored.
    IdNumber,
    /// Some page.
    WebLink,
    /// Anything else.
    Unknown,
}

impl Foreign {
    /// All kinds, so that each is seen to have its sentence.
    pub const ALL: [Self; 13] = [
        Self::SmartHealthCard,
        Self::SmartHealthLink,
        Self::EuHealthCertificate,
        Self::InsurancePayment,
        Self::HealthCard,
        Self::TaxInvoice,
        Self::MedicalBill,
        Self::Payment,
        Self::DrugTrace,
        Self::SlipNumber,
        Self::IdNumber,
        Self::WebLink,
        Self::Unknown,
    ];

    /// The key of its sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SmartHealthCard => "scan-smart-health-card",
            Self::SmartHealthLink => "scan-smart-health-link",
            Self::EuHealthCertificate => "scan-eu-certificate",
            Self::InsurancePayment => "scan-insurance-payment",
            Self::HealthCard => "scan-health-card",
            Self::TaxInvoice => "scan-tax-invoice",
            Self::MedicalBill => "scan-medical-bill",
            Self::Payment => "scan-payment",
            Self::DrugTrace => "scan-drug-trace",
            Self::SlipNumber => "scan-slip-number",
            Self::IdNumber => "scan-id-number",
            Self::WebLink => "scan-web-link",
            Self::Unknown => "scan-unknown",
        }
    }
}

/// Hosts where a code stands for money.
const PAYMENT_HOSTS: [&str; 7] = [
    "wx.tenpay.com",
    "payapp.weixin.qq.com",
    "payapp.wechatpay.cn",
    "qr.alipay.com",
    "render.alipay.com",
    "qr.95516.com",
    "qr.pay.e-cny.cn",
];

/// Words in the host names of bill services: the Ministry of Finance's, the provinces', their contractors'.
const BILL_WORDS: [&str; 7] = ["mof.gov.cn", "fapiao", "einvoice", "ebill", "dzpj", "czpj", "bosssoft"];

/// Says what a text is that isn't ours. `text` is trimmed and not empty.
pub(super) fn recognise(text: &str) -> Foreign {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("shc:/") {
        return Foreign::SmartHealthCard;
    }
    if lower.starts_with("shlink:/") || lower.contains("#shlink:/") {
        return Foreign::SmartHealthLink;
    }
    if text.starts_with("HC1:") {
        return Foreign::EuHealthCertificate;
    }
    if ["wxp://", "weixin://", "alipays://", "alipayqr://", "upwallet://"]
        .iter()
        .any(|s| lower.starts_with(s))
    {
        return Foreign::Payment;
    }
    if let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) {
        return page(rest);
    }
    number(text)
}

fn page(rest: &str) -> Foreign {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before an @ is no host, however it looks.
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    if PAYMENT_HOSTS.iter().any(|known| host == *known || host.ends_with(&format!(".{known}"))) {
        Foreign::Payment
    } else if BILL_WORDS.iter().any(|word| host.contains(word)) {
        Foreign::MedicalBill
    } else {
        Foreign::WebLink
    }
}

fn number(text: &str) -> Foreign {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.contains(',') {
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        let has = |n: usize| fields.iter().any(|f| f.len() == n && f.bytes().all(|b| b.is_ascii_digit()));
        // Bill code of 8 and number of 10 digits; an invoice begins with 01 and has other lengths (12 and 8).
        return if has(8) && has(10) && !has(12) {
            Foreign::MedicalBill
        } else if fields[0] == "01" && fields.len() >= 4 {
            Foreign::TaxInvoice
        } else {
            Foreign::Unknown
        };
    }
    // 电子健康卡: 64 hexadecimal digits, often with a mark of the card's kind behind a colon.
    let (body, mark) = text.split_once(':').unwrap_or((text, ""));
    if body.len() == 64 && body.bytes().all(|b| b.is_ascii_hexdigit()) && mark.len() <= 2 {
        return Foreign::HealthCard;
    }
    match text.len() {
        28 if plain => Foreign::InsurancePayment,
        18 if is_id_number(text) => Foreign::IdNumber,
        20 if digits && text.starts_with('8') => Foreign::DrugTrace,
        // Payment codes shown by WeChat (18 digits from 10 to 15) and Alipay (16 to 24 from 25 to 30).
        18 if digits && ("10"..="15").contains(&&text[..2]) => Foreign::Payment,
        16..=24 if digits && ("25"..="30").contains(&&text[..2]) => Foreign::Payment,
        4..=24 if plain && text.bytes().filter(u8::is_ascii_digit).count() >= 4 => Foreign::SlipNumber,
        _ => Foreign::Unknown,
    }
}

/// 18 characters with the check of ISO 7064 mod 11-2 (GB 11643).
fn is_id_number(text: &str) -> bool {
    let Some((body, check)) = text.split_at_checked(17) else { return false };
    if !body.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum = body.bytes().fold(0u32, |sum, b| (sum + u32::from(b - b'0')) * 2 % 11);
    let expected = match (12 - sum) % 11 {
        10 => 'X',
        n => char::from_digit(n, 10).unwrap_or('?'),
    };
    check.eq_ignore_ascii_case(expected.encode_utf8(&mut [0; 4]))
}
