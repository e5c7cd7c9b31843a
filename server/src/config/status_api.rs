//! How a provider is asked what became of a payment, and how often.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{Error, invalid};
use crate::{
    accounts::StatusAccess,
    outbound::{
        breaker, rate,
        schedule::{FACTOR_MIN, MOMENTS_MAX, Moments, Schedule},
    },
};

/// Requests a second that may be configured.
const RATE_MAX: f64 = 1000.0;
/// The largest factor of a back-off.
const FACTOR_MAX: f64 = 100.0;
/// The shortest gap between two looks at one order.
const GAP_MIN: Duration = Duration::from_millis(10);

/// How a provider is asked what became of a payment.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusApiConfig {
    /// What its API wants to see, by the names that the adapter gives.
    pub credentials: BTreeMap<String, String>,
    /// The same from files, one value each.
    pub credential_files: BTreeMap<String, PathBuf>,
    /// Another place than the provider's own: scheme, host and port.
    pub url: Option<String>,
    /// Another place for tokens.
    pub auth_url: Option<String>,
    /// How long after an order was last heard of it is first asked about: 30s.
    #[serde(with = "humantime_serde")]
    pub first: Option<Duration>,
    /// How much longer each gap is than the one before: 2.
    pub factor: Option<f64>,
    /// The longest gap: 6h.
    #[serde(with = "humantime_serde")]
    pub most: Option<Duration>,
    /// Instead of these three: when to ask, counted from when the order was last heard of; then
    /// again after each gap like the last one.
    pub at: Vec<humantime_serde::Serde<Duration>>,
    /// After this nobody asks any more: 30 days.
    #[serde(with = "humantime_serde")]
    pub until: Option<Duration>,
    /// Requests a second: 5.
    pub rate: Option<f64>,
    /// How long a request may take: 10s.
    #[serde(with = "humantime_serde")]
    pub timeout: Option<Duration>,
    /// After so many failures in a row the provider is left alone: 5.
    pub failures: Option<u32>,
    /// For how long at first; each time longer, up to 10 minutes: 30s.
    #[serde(with = "humantime_serde")]
    pub pause: Option<Duration>,
}

/// Credentials are not printed.
impl std::fmt::Debug for StatusApiConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusApiConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

impl StatusApiConfig {
    /// How the provider is asked; credentials are checked with the account.
    pub(super) fn check(&self, at: &dyn Fn(&str) -> String) -> Result<StatusAccess, Error> {
        let at = |setting: &str| at(&format!("status_api.{setting}"));
        let default = StatusAccess::default();
        let per_second = self.rate.unwrap_or(default.rate.per_second);
        if !(per_second > 0.0 && per_second <= RATE_MAX) {
            let problem = format!("must be more than 0 and at most {RATE_MAX}");
            return Err(invalid(at("rate"), problem));
        }
        let breaker = breaker::Limits {
            failures: self.failures.unwrap_or(default.breaker.failures),
            pause: self.pause.unwrap_or(default.breaker.pause),
        };
        if breaker.failures == 0 || breaker.pause.is_zero() {
            return Err(invalid(at("failures and pause"), "must be more than 0"));
        }
        let timeout = self.timeout.unwrap_or(default.timeout);
        if timeout.is_zero() {
            return Err(invalid(at("timeout"), "must be more than 0"));
        }
        Ok(StatusAccess {
            api_url: place(self.url.as_deref(), &at("url"))?,
            auth_url: place(self.auth_url.as_deref(), &at("auth_url"))?,
            schedule: Schedule {
                moments: self.moments(&at)?,
                until: self.until.unwrap_or(default.schedule.until),
            },
            rate: rate::Limit::per_second(per_second),
            timeout,
            breaker,
        })
    }

    fn moments(&self, at: &dyn Fn(&str) -> String) -> Result<Moments, Error> {
        if !self.at.is_empty() {
            return self.list(at);
        }
        let Moments::BackOff { first, factor, most } = Schedule::default().moments else {
            return Err(invalid(at("first"), "has no default"));
        };
        let first = self.first.unwrap_or(first);
        let factor = self.factor.unwrap_or(factor);
        let most = self.most.unwrap_or(most.max(first));
        if first < GAP_MIN {
            return Err(invalid(at("first"), format!("must be at least {GAP_MIN:?}")));
        }
        if most < first {
            return Err(invalid(at("most"), "must be at least first"));
        }
        if factor != 1.0 && !(FACTOR_MIN..=FACTOR_MAX).contains(&factor) {
            let problem = format!("must be 1, or {FACTOR_MIN} to {FACTOR_MAX}");
            return Err(invalid(at("factor"), problem));
        }
        Ok(Moments::BackOff { first, factor, most })
    }

    fn list(&self, at: &dyn Fn(&str) -> String) -> Result<Moments, Error> {
        if self.first.is_some() || self.factor.is_some() || self.most.is_some() {
            return Err(invalid(at("at"), "stands instead of first, factor and most"));
        }
        let moments: Vec<Duration> = self.at.iter().map(|moment| **moment).collect();
        let before = std::iter::once(Duration::ZERO).chain(moments.iter().copied());
        let is_rising = moments.iter().zip(before).all(|(at, before)| *at >= before + GAP_MIN);
        if !is_rising || moments.len() > MOMENTS_MAX {
            let problem = format!("must be at most {MOMENTS_MAX} rising times");
            return Err(invalid(at("at"), problem));
        }
        Ok(Moments::At(moments))
    }
}

/// Scheme, host and port, perhaps the beginning of a path, without a `/` at the end.
fn place(url: Option<&str>, setting: &str) -> Result<Option<String>, Error> {
    let Some(url) = url else { return Ok(None) };
    let parsed: Option<http::Uri> = url.parse().ok();
    let is_sound = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
    });
    if !is_sound {
        return Err(invalid(setting, "must be like https://api.example.com"));
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(toml: &str) -> Result<StatusAccess, String> {
        let source = config::File::from_str(toml, config::FileFormat::Toml);
        let built = config::Config::builder().add_source(source).build().unwrap();
        let config: StatusApiConfig = built.try_deserialize().map_err(|e| e.to_string())?;
        config.check(&|setting| setting.to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_is_required() {
        let (access, default) = (access("").unwrap(), StatusAccess::default());
        assert_eq!((access.schedule, access.rate), (default.schedule, default.rate));
        assert_eq!((access.timeout, access.breaker), (default.timeout, default.breaker));
    }

    #[test]
    fn a_schedule_is_a_back_off_or_a_list() {
        let seconds = Duration::from_secs;
        let back_off =
            access("first = \"5s\"\nfactor = 1.5\nmost = \"1m\"\nuntil = \"1h\"").unwrap();
        let moments = Moments::BackOff { first: seconds(5), factor: 1.5, most: seconds(60) };
        assert_eq!(back_off.schedule, Schedule { moments, until: seconds(3600) });
        let list = access("at = [\"5m\", \"1h\", \"1day\"]").unwrap();
        let moments = vec![seconds(300), seconds(3600), seconds(86400)];
        assert_eq!(list.schedule.moments, Moments::At(moments));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        for (toml, setting) in [
            ("rate = 0", "status_api.rate"),
            ("rate = 1e9", "status_api.rate"),
            ("failures = 0", "status_api.failures"),
            ("timeout = \"0s\"", "status_api.timeout"),
            ("first = \"1ms\"", "status_api.first"),
            ("first = \"1m\"\nmost = \"1s\"", "status_api.most"),
            ("factor = 1.01", "status_api.factor"),
            ("at = [\"1h\", \"1m\"]", "status_api.at"),
            ("at = [\"1h\"]\nfactor = 2", "status_api.at"),
            ("url = \"api.example.com\"", "status_api.url"),
            ("url = \"ftp://api.example.com\"", "status_api.url"),
            ("auth_url = \"https://me:secret@example.com\"", "status_api.auth_url"),
            ("url = \"https://example.com/?a=b\"", "status_api.url"),
        ] {
            let error = access(toml).unwrap_err();
            assert!(error.contains(setting) && !error.contains("secret"), "{toml}: {error}");
        }
        assert_eq!(access("url = \"http://x:1/\"").unwrap().api_url.unwrap(), "http://x:1");
    }
}
