//! The token that requests of an account carry: fetched once for all who ask, kept until shortly
//! before it ends, or until the provider refuses it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::failed::Failed;
use crate::providers::{Secret, Token};

/// How long before its end a token is not used any more; half its time if that is shorter.
const MARGIN: Duration = Duration::from_secs(60);

/// A token, and for whom it was given.
struct Kept {
    token: Token,
    credentials: BTreeMap<String, Secret>,
    until: Option<Instant>,
}

/// The token of one account. Whoever needs one while it is fetched waits for that.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Kept>>);

/// Whether a token may have ended or been revoked since it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// It was fetched for this request.
    New,
    /// It was used before.
    Kept,
}

impl Tokens {
    /// The token that was kept, else a new one.
    pub(super) async fn get(
        &self,
        credentials: &BTreeMap<String, Secret>,
        fetch: impl Future<Output = Result<Token, Failed>>,
    ) -> Result<(Token, Age), Failed> {
        let mut kept = self.0.lock().await;
        let now = Instant::now();
        let is_good =
            |k: &&Kept| k.credentials == *credentials && k.until.is_none_or(|until| now < until);
        if let Some(kept) = kept.as_ref().filter(is_good) {
            return Ok((kept.token.clone(), Age::Kept));
        }
        let token = fetch.await?;
        let span = token.seconds.map(Duration::from_secs);
        let until = span.and_then(|span| now.checked_add(span - MARGIN.min(span / 2)));
        let (credentials, until) = (credentials.clone(), until.filter(|_| span.is_some()));
        *kept = Some(Kept { token: token.clone(), credentials, until });
        Ok((token, Age::New))
    }

    /// Forgets a token that was refused, unless there is another one already.
    pub(super) async fn refused(&self, token: &Token) {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token.text == token.text) {
            *kept = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, seconds: Option<u64>) -> Token {
        Token { text: Secret::new(text), seconds }
    }

    async fn get(tokens: &Tokens, credential: &str, new: &Token) -> (String, Age) {
        let credentials = BTreeMap::from([("id".to_owned(), Secret::new(credential))]);
        let fetch = async { Ok(new.clone()) };
        let (token, age) = tokens.get(&credentials, fetch).await.unwrap();
        (token.text.expose().to_owned(), age)
    }

    #[tokio::test]
    async fn a_token_is_kept_until_it_ends_or_is_refused() {
        let tokens = Tokens::default();
        let (a, b) = (token("a", Some(3600)), token("b", None));
        assert_eq!(get(&tokens, "x", &a).await, ("a".to_owned(), Age::New));
        assert_eq!(get(&tokens, "x", &b).await, ("a".to_owned(), Age::Kept));
        tokens.refused(&b).await;
        assert_eq!(get(&tokens, "x", &b).await, ("a".to_owned(), Age::Kept), "another one");
        tokens.refused(&a).await;
        assert_eq!(get(&tokens, "x", &b).await, ("b".to_owned(), Age::New));
        assert_eq!(get(&tokens, "y", &a).await, ("a".to_owned(), Age::New), "others' credentials");
        tokens.refused(&a).await;
        assert_eq!(get(&tokens, "y", &token("c", Some(0))).await, ("c".to_owned(), Age::New));
        assert_eq!(get(&tokens, "y", &b).await, ("b".to_owned(), Age::New), "it had ended");
    }

    #[tokio::test]
    async fn what_was_not_given_is_asked_for_again() {
        let tokens = Tokens::default();
        let failing = async { Err(Failed::Status(500)) };
        assert!(tokens.get(&BTreeMap::new(), failing).await.is_err());
        assert!(tokens.get(&BTreeMap::new(), async { Ok(token("a", None)) }).await.is_ok());
    }
}
