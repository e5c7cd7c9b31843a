//! Connections are open files, of which the system allows so many. What callers take is kept below
//! that: a journal that cannot open its next file stops the server.

use super::Limits;

/// Files that a server has open beside connections of callers: the journal, the view, connections
/// to providers.
const OTHER_FILES: u64 = 512;

impl Limits {
    /// The same limits, lowered where connections could take more files than are allowed: services
    /// keep a tenth of what is left, and webhooks a twentieth of what is public.
    #[must_use]
    pub fn within(self, files_allowed: u64) -> Self {
        let count = |files: u64| usize::try_from(files).unwrap_or(usize::MAX);
        let room = count(files_allowed - OTHER_FILES.min(files_allowed / 2));
        // What is wrong in itself is refused later, as it is written.
        let is_wrong = self.pages >= self.http_connections;
        if is_wrong || self.http_connections.saturating_add(self.grpc_connections) <= room {
            return self;
        }
        let services = (room / 10).max(room.saturating_sub(self.http_connections));
        let grpc_connections = self.grpc_connections.min(services);
        let http_connections = self.http_connections.min(room - grpc_connections);
        let pages = self.pages.min(http_connections - (http_connections / 20).max(1));
        Self { http_connections, pages, grpc_connections, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_journal() {
        let usual = Limits::default();
        assert_eq!(usual.within(1 << 20), usual);
        let wrong = Limits { pages: usual.http_connections, ..usual };
        assert_eq!(wrong.within(1024), wrong);
        for files in [64, 1024, 4096, 20_000, 30_000] {
            let Limits { http_connections, pages, grpc_connections, .. } = usual.within(files);
            let taken = (http_connections + grpc_connections) as u64;
            assert!(taken + OTHER_FILES.min(files / 2) <= files, "{files}: {taken}");
            assert!(pages > 0 && pages < http_connections && grpc_connections > 0, "{files}");
        }
        let few = Limits { http_connections: 100, pages: 90, ..usual };
        let lowered = Limits { grpc_connections: 924, ..few };
        assert_eq!(few.within(1536), lowered, "only what has to be");
    }
}
