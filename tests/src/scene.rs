//! A scene: one relay, some persons, and an end at which nobody's console may have complained.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::between::{ADDRESS, Between};
use crate::console::is_of_an_ended_relay;
use crate::driver::Driver;
use crate::process::{end_all_that_name, tail};
use crate::{Person, Relay, Window};

/// More browsers than these at once starve each other on a small machine.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// A running scene.
pub struct Scene {
    /// The relay that all use.
    pub relay: Relay,
    between: Option<Between>,
    name: String,
    driver: Driver,
    people: Vec<Person>,
    seats: u32,
    dir: TempDir,
}

impl Scene {
    /// Plays a story with at most so many browsers at once (one or two). If it fails, a picture of every browser is left
    /// as `failed-SCENE-PERSON.png`, and the end of the relay's log is part of the error.
    pub async fn play(
        name: &str,
        browsers: u32,
        story: impl AsyncFnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        ensure!((1..=2).contains(&browsers), "a scene has one or two browsers at once");
        let _seats = BROWSERS.acquire_many(browsers).await?;
        let dir = tempfile::Builder::new().prefix("suishen-scene-").tempdir()?;
        let driver = Driver::start(dir.path()).await?;
        let relay = Relay::start().await?;
        let mut scene = Self {
            relay,
            between: None,
            name: name.to_owned(),
            driver,
            people: Vec::new(),
            seats: browsers,
            dir,
        };
        let outcome = match AssertUnwindSafe(story(&mut scene)).catch_unwind().await {
            Ok(Ok(())) => scene.end_well().await,
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(anyhow!("{}", said(&*panic))),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(scene.end_badly(error).await),
        }
    }

    /// A place between the relay and everybody who comes from here on; who is here already goes on without.
    pub async fn between(&mut self) -> Result<Between> {
        let between = self.relay.between(ADDRESS).await?;
        self.between = Some(between.clone());
        Ok(between)
    }

    /// Another person, with a fresh browser profile.
    pub async fn person(&mut self, name: &str, window: Window) -> Result<Person> {
        ensure!(self.people.len() < self.seats as usize, "this scene has {} browsers only", self.seats);
        let port_of = self.relay.origin("");
        let origin_of = move |role: &str| match role {
            "" => port_of.clone(),
            role => port_of.replace("://", &format!("://{role}.")),
        };
        let person =
            Person::new(name, window, self.dir.path(), &self.driver, (origin_of, self.between.is_some()))
                .await?;
        self.people.push(person.clone());
        Ok(person)
    }

    /// A person goes; the seat is free for another.
    pub async fn leaves(&mut self, person: &Person) -> Result<()> {
        let complaints = self.complaints(person).await?;
        ensure!(complaints.is_empty(), "the console complained:\n{}", complaints.join("\n"));
        self.people.retain(|other| other.name() != person.name());
        person.leaves().await
    }

    /// What a person's console said, but for what any browser says when the scene has ended the relay under it.
    async fn complaints(&self, person: &Person) -> Result<Vec<String>> {
        let mut all = person.complaints().await?;
        if self.relay.has_ended_before() {
            all.retain(|line| !is_of_an_ended_relay(line));
        }
        Ok(all)
    }

    async fn end_well(&mut self) -> Result<()> {
        let mut complaints = Vec::new();
        for person in &self.people {
            complaints.extend(self.complaints(person).await?);
        }
        if !complaints.is_empty() {
            bail!("the console complained:\n{}", complaints.join("\n"));
        }
        for person in self.people.drain(..) {
            person.leaves().await?;
        }
        Ok(())
    }

    async fn end_badly(&mut self, error: anyhow::Error) -> anyhow::Error {
        let mut notes = Vec::new();
        // Whatever can still be had of a failed scene; what cannot be had must not hide why it failed.
        let last = async {
            for person in &self.people {
                person.picture(&format!("failed-{}-{}", self.name, person.name())).await.ok();
                for complaint in self.complaints(person).await.unwrap_or_default() {
                    notes.push(format!("\nconsole of {complaint}"));
                }
                person.leaves().await.ok();
            }
        };
        tokio::time::timeout(Duration::from_secs(30), last).await.ok();
        anyhow!(
            "scene {}: {error:#}{}\nend of the relay's log:\n{}",
            self.name,
            notes.concat(),
            tail(&self.relay.log())
        )
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A browser that was not asked to quit outlives its driver.
        end_all_that_name(self.dir.path());
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "panic".to_owned())
}
