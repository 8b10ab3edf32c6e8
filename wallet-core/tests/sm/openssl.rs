//! Both ways against the `openssl` program (3.0 or later). Where it isn't installed, the tests say so and return.

use crate::Seeded;
use std::{fs, path::PathBuf, process::Command};
use suishen_core::sm::{
    SecretKey,
    edge::{self, CiphertextForm},
};

/// A folder of its own for each test.
struct Bench(PathBuf);

impl Bench {
    fn new(name: &str) -> Option<Self> {
        let version = Command::new("openssl").arg("version").output().ok()?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        if !version.starts_with("OpenSSL 3") && !version.starts_with("OpenSSL 4") {
            println!("not checked, this needs OpenSSL 3, not {version}");
            return None;
        }
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Some(Self(folder))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn read_text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Runs openssl in the folder; whether it succeeded.
    fn run(&self, arguments: &str) -> bool {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(&self.0).output().unwrap();
        if !output.status.success() {
            println!("openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        }
        output.status.success()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn bench(name: &str) -> Option<Bench> {
    let bench = Bench::new(name);
    if bench.is_none() {
        println!("not checked against openssl");
    }
    bench
}

fn key(seed: u64) -> SecretKey {
    SecretKey::generate(&mut Seeded(seed))
}

#[test]
fn openssl_reads_our_keys_and_writes_them_the_same() {
    let Some(bench) = bench("keys-out") else { return };
    bench.write("secret.pem", edge::secret_key_to_pem(&key(1)).as_bytes());
    assert!(bench.run("pkey -in secret.pem -out again.pem"));
    assert_eq!(bench.read_text("again.pem"), *edge::secret_key_to_pem(&key(1)));
    assert!(bench.run("pkey -in secret.pem -pubout -out public.pem"));
    assert_eq!(bench.read_text("public.pem"), edge::public_key_to_pem(&key(1).public()));
    assert!(bench.run("pkcs8 -topk8 -nocrypt -in secret.pem -outform DER -out secret.der"));
    assert_eq!(bench.read("secret.der"), *edge::secret_key_to_der(&key(1)));
}

#[test]
fn we_read_openssl_s_keys() {
    let Some(bench) = bench("keys-in") else { return };
    for how in ["-algorithm SM2", "-algorithm EC -pkeyopt ec_paramgen_curve:SM2"] {
        assert!(bench.run(&format!("genpkey {how} -out secret.pem")));
        assert!(bench.run("pkey -in secret.pem -pubout -out public.pem"));
        let secret = edge::secret_key_from_pem(&bench.read_text("secret.pem")).unwrap();
        let public = edge::public_key_from_pem(&bench.read_text("public.pem")).unwrap();
        assert_eq!(secret.public(), public);
    }
    assert!(bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out foreign.pem"));
    assert!(edge::secret_key_from_pem(&bench.read_text("foreign.pem")).is_err());
}

#[test]
fn signatures_hold_both_ways() {
    let Some(bench) = bench("signatures") else { return };
    let id = "-sigopt distid:1234567812345678";
    for seed in 0..8 {
        let (key, message) = (key(seed), format!("报告 {seed}"));
        bench.write("secret.pem", edge::secret_key_to_pem(&key).as_bytes());
        bench.write("public.pem", edge::public_key_to_pem(&key.public()));
        bench.write("message", &message);

        bench.write("ours", edge::signature_to_der(&key.sign(message.as_bytes())));
        assert!(bench.run(&format!("dgst -sm3 {id} -verify public.pem -signature ours message")));
        bench.write("changed", edge::signature_to_der(&key.sign(b"another")));
        assert!(!bench.run(&format!("dgst -sm3 {id} -verify public.pem -signature changed message")));

        assert!(bench.run(&format!("dgst -sm3 {id} -sign secret.pem -out theirs message")));
        let theirs = edge::signature_from_der(&bench.read("theirs")).unwrap();
        key.public().verify(message.as_bytes(), &theirs).unwrap();
        assert!(key.public().verify(b"another", &theirs).is_err());

        // Without the ID, openssl takes an empty one: not ours.
        assert!(bench.run("dgst -sm3 -sign secret.pem -out theirs message"));
        let theirs = edge::signature_from_der(&bench.read("theirs")).unwrap();
        assert!(key.public().verify(message.as_bytes(), &theirs).is_err());
    }
}

#[test]
fn ciphertexts_open_both_ways() {
    let Some(bench) = bench("ciphertexts") else { return };
    for seed in 0..8_u8 {
        let message = format!("密文 {seed}").repeat(usize::from(seed) * 5 + 1);
        let (key, seed) = (key(seed.into()), u64::from(seed));
        bench.write("secret.pem", edge::secret_key_to_pem(&key).as_bytes());
        bench.write("public.pem", edge::public_key_to_pem(&key.public()));
        bench.write("message", &message);

        let random = &mut Seeded(seed + 100);
        let ours = edge::encrypt(&key.public(), message.as_bytes(), CiphertextForm::Der, random).unwrap();
        bench.write("ours", ours);
        assert!(bench.run("pkeyutl -decrypt -inkey secret.pem -in ours -out opened"));
        assert_eq!(bench.read_text("opened"), message);

        assert!(bench.run("pkeyutl -encrypt -pubin -inkey public.pem -in message -out theirs"));
        let theirs = bench.read("theirs");
        let opened = edge::decrypt(&key, &theirs, CiphertextForm::Der).unwrap();
        assert_eq!(*opened, message.as_bytes());
    }
}
