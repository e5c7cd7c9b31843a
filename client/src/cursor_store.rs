//! Where a subscriber keeps its position between runs.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tonic::async_trait;

/// The longest name of a cursor, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Keeps cursors by name. Implement it for a database to keep a cursor beside what it stands for.
///
/// ```
/// use paystatus_client::{CursorStore, CursorStoreError, async_trait};
///
/// struct Table; // … with a connection to a database
///
/// #[async_trait]
/// impl CursorStore for Table {
///     async fn load(&self, name: &str) -> Result<Option<String>, CursorStoreError> {
///         Ok(None) // SELECT cursor FROM cursors WHERE name = …
///     }
///     async fn save(&self, name: &str, cursor: &str) -> Result<(), CursorStoreError> {
///         Ok(()) // INSERT … ON CONFLICT (name) DO UPDATE …
///     }
/// }
/// ```
#[async_trait]
pub trait CursorStore: Send + Sync + 'static {
    /// The cursor that was saved last under this name. `None` if none ever was: a cursor that is
    /// there but cannot be read must be an error.
    async fn load(&self, name: &str) -> Result<Option<String>, CursorStoreError>;

    /// Saves a cursor in place of the one before, all of it or nothing.
    async fn save(&self, name: &str, cursor: &str) -> Result<(), CursorStoreError>;
}

/// Why a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CursorStoreError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The name is not 1 to 64 of `a-z A-Z 0-9 . _ -`.
    #[error("`{0}` is not a name of 1 to 64 of a-z A-Z 0-9 . _ -")]
    Name(String),
    /// What stands there is no cursor.
    #[error("{0} holds no cursor")]
    Damaged(PathBuf),
    /// A store of the application failed.
    #[error("{0}")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps cursors for as long as the process runs.
#[derive(Debug, Default)]
pub struct MemoryCursorStore {
    cursors: Mutex<HashMap<String, String>>,
}

/// Keeps each cursor in a file of its own. A save replaces the file in one step, and is on disk
/// when it returns.
#[derive(Debug)]
pub struct FileCursorStore {
    folder: PathBuf,
    /// One save at a time: they share a temporary file.
    saving: tokio::sync::Mutex<()>,
}

impl MemoryCursorStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl FileCursorStore {
    /// Keeps files in `folder`, which is created if it is not there.
    ///
    /// # Errors
    /// `File` if the folder cannot be created.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CursorStoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(file_error(&folder))?;
        Ok(Self { folder, saving: tokio::sync::Mutex::default() })
    }

    fn path(&self, name: &str) -> Result<PathBuf, CursorStoreError> {
        let is_valid = (1..=NAME_BYTES_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !is_valid {
            return Err(CursorStoreError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}.cursor")))
    }
}

#[async_trait]
impl CursorStore for MemoryCursorStore {
    async fn load(&self, name: &str) -> Result<Option<String>, CursorStoreError> {
        let cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(cursors.get(name).cloned())
    }

    async fn save(&self, name: &str, cursor: &str) -> Result<(), CursorStoreError> {
        let mut cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        cursors.insert(name.to_owned(), cursor.to_owned());
        Ok(())
    }
}

#[async_trait]
impl CursorStore for FileCursorStore {
    async fn load(&self, name: &str) -> Result<Option<String>, CursorStoreError> {
        let path = self.path(name)?;
        blocking(move || read(&path)).await
    }

    async fn save(&self, name: &str, cursor: &str) -> Result<(), CursorStoreError> {
        let path = self.path(name)?;
        let folder = self.folder.clone();
        let cursor = cursor.to_owned();
        let _one_at_a_time = self.saving.lock().await;
        blocking(move || replace(&folder, &path, &cursor)).await
    }
}

fn read(path: &Path) -> Result<Option<String>, CursorStoreError> {
    match fs::read_to_string(path) {
        // A cursor that is lost must not look like one that never was.
        Ok(cursor) if cursor.is_empty() => Err(CursorStoreError::Damaged(path.to_owned())),
        Ok(cursor) => Ok(Some(cursor)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(path)(error)),
    }
}

/// Writes beside the file, makes that durable, then puts it in place in one step.
fn replace(folder: &Path, path: &Path, cursor: &str) -> Result<(), CursorStoreError> {
    let temporary = path.with_extension("cursor.new");
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(cursor.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(file_error(&temporary))?;
    fs::rename(&temporary, path).map_err(file_error(path))?;
    // The new name is durable once its folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error(folder))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CursorStoreError> + Send + 'static,
) -> Result<T, CursorStoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(ended) => Err(CursorStoreError::other(ended)),
    }
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> CursorStoreError {
    let path = path.to_owned();
    move |source| CursorStoreError::File { path, source }
}

impl CursorStoreError {
    /// The failure of a store of the application's own.
    pub fn other(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(source))
    }
}
