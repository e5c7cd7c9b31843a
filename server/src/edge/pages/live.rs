//! What of the pages' settings can be replaced while the server runs: all of it. Pages that are
//! open follow.

use std::sync::Arc;

use tokio::sync::watch;

use super::token::{KeyError, Keys};
use crate::config::{self, Config};

/// The settings of pages, and the keys made from them.
pub struct Settings {
    /// Sign and verify page tokens.
    pub keys: Keys,
    /// Origins and limits.
    pub config: config::Pages,
}

impl Settings {
    /// The settings as they are written; without keys the server's own, which the first start
    /// makes.
    ///
    /// # Errors
    /// [`KeyError`] names the key or the file.
    pub fn read(config: &Config) -> Result<Self, KeyError> {
        let keys = Keys::load(&config.pages.keys, &config.data)?;
        Ok(Self { keys, config: config.pages.clone() })
    }
}

/// The settings of pages as they are now.
pub struct Live(watch::Sender<Arc<Settings>>);

impl Live {
    /// Begins with some settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(watch::Sender::new(Arc::new(settings)))
    }

    /// The settings of this moment.
    #[must_use]
    pub fn load(&self) -> Arc<Settings> {
        Arc::clone(&self.0.borrow())
    }

    /// Puts others in their place. Pages whose token's key is gone are closed.
    pub fn replace(&self, settings: Settings) {
        self.0.send_replace(Arc::new(settings));
    }

    /// The settings, and when they are replaced.
    pub(super) fn follow(&self) -> watch::Receiver<Arc<Settings>> {
        self.0.subscribe()
    }
}
