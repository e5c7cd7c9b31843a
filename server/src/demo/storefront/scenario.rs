//! What a visitor can choose to happen, step by step.

use paystatus_simulator::Action;

/// One of the choices.
#[derive(Debug)]
pub(super) struct Scenario {
    /// Its name in the page and in requests.
    pub(super) name: &'static str,
    /// What happens, in this order.
    pub(super) steps: &'static [Step],
    /// What was to be seen, once it has happened.
    pub(super) moral: &'static str,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Nothing, for so many milliseconds.
    Wait(u64),
    /// The page says what is going on.
    Say(&'static str),
    /// The shop records an attempt, then calls the provider.
    Attempt(usize),
    /// Something happens to an attempt's payment at the provider, which tells nobody yet. It is
    /// the next of the [`Step::Tell`]s, counted from 0.
    Happens(usize, Happening),
    /// The provider sends the webhook of what happened, perhaps again.
    Tell(usize),
    /// Somebody who does not know the provider's secret sends "paid" for an attempt.
    Forge(usize),
    /// The customer closes the browser.
    CloseBrowser,
    /// Nothing, until the mailer has written.
    AwaitMail,
}

/// What happens to a payment at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    Pends,
    Pays,
    Declines,
}

impl Happening {
    /// The same for the simulated provider.
    pub(super) fn action(self) -> Action {
        match self {
            Self::Pends => Action::Pend,
            Self::Pays => Action::Pay,
            Self::Declines => Action::Decline,
        }
    }
}

use Happening::{Declines, Pays, Pends};
use Step::{Attempt, AwaitMail, CloseBrowser, Forge, Happens, Say, Tell, Wait};

/// What is said while the provider works.
const BANK: &str = "The provider is asking the bank …";

/// All choices, in the order of the page.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "approved",
        steps: &[
            Attempt(1),
            Say(BANK),
            Wait(1200),
            Happens(1, Pends),
            Tell(0),
            Wait(2800),
            Happens(1, Pays),
            Tell(1),
        ],
        moral: "The page changed the moment the webhook was on disk. One that shows the outcome \
                says so with a receipt, so that nobody gets mail that is not needed.",
    },
    Scenario {
        name: "declined",
        steps: &[
            Attempt(1),
            Say(BANK),
            Wait(1200),
            Happens(1, Pends),
            Tell(0),
            Wait(2200),
            Say("Somebody forges a webhook: “paid”."),
            Forge(1),
            Wait(2600),
            Happens(1, Declines),
            Tell(1),
        ],
        moral: "The forged “paid” changed nothing. The page stays connected for a while: the \
                customer may try again.",
    },
    Scenario {
        name: "late",
        steps: &[
            Attempt(1),
            Say(BANK),
            Wait(1200),
            Happens(1, Pends),
            Tell(0),
            Wait(1600),
            Tell(0),
            Happens(1, Pends),
            Happens(1, Pays),
            Say("The bank takes its time. The page waits, and never guesses."),
            Wait(3600),
            Tell(2),
            Wait(1400),
            Say("The provider repeats itself, and gets the order wrong."),
            Tell(2),
            Wait(1600),
            Tell(1),
            Wait(800),
        ],
        moral: "Five webhooks, two of them repeats and one too late. The customer saw one change, \
                once.",
    },
    Scenario {
        name: "closed",
        steps: &[
            Attempt(1),
            Say(BANK),
            Wait(1200),
            Happens(1, Pends),
            Tell(0),
            Wait(1800),
            CloseBrowser,
            Say("The customer has gone. The payment goes on."),
            Wait(2600),
            Happens(1, Pays),
            Tell(1),
            Say("Paid, and nobody has seen it."),
            AwaitMail,
        ],
        moral: "No page said that it showed the outcome, so the mailer was told, once. Exactly \
                those who never saw it get an e-mail.",
    },
    Scenario {
        name: "twice",
        steps: &[
            Attempt(1),
            Say(BANK),
            Wait(1200),
            Happens(1, Pends),
            Tell(0),
            Say("Nothing happens for a while. The customer tries another card."),
            Wait(3000),
            Attempt(2),
            Wait(1200),
            Happens(2, Pends),
            Tell(1),
            Wait(1800),
            Happens(2, Pays),
            Tell(2),
            Say("Paid. But the first attempt is still under way …"),
            Wait(3400),
            Happens(1, Pays),
            Tell(3),
            Wait(600),
        ],
        moral: "Both attempts were paid. The order names the one to reverse; the customer was \
                told “paid” once.",
    },
];

impl Scenario {
    /// The choice of a name.
    pub(super) fn by_name(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{SCENARIOS, Step};

    /// The page offers what there is, in the same order, and nothing else.
    #[test]
    fn the_page_offers_each_choice() {
        let page = include_str!("page/index.html");
        let offered: Vec<&str> = page
            .split(r#"name="scenario" value=""#)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let there: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(offered, there);
    }

    /// Only what has happened is told, of attempts that were made.
    #[test]
    fn steps_are_in_order() {
        for scenario in SCENARIOS {
            let (mut attempts, mut events) = (0, 0);
            for step in scenario.steps {
                match *step {
                    Step::Attempt(number) => {
                        attempts += 1;
                        assert_eq!(number, attempts, "{}", scenario.name);
                    }
                    Step::Happens(attempt, _) => {
                        events += 1;
                        assert!((1..=attempts).contains(&attempt), "{}", scenario.name);
                    }
                    Step::Tell(event) => assert!(event < events, "{}", scenario.name),
                    Step::Forge(attempt) => {
                        assert!((1..=attempts).contains(&attempt), "{}", scenario.name);
                    }
                    Step::Wait(_) | Step::Say(_) | Step::CloseBrowser | Step::AwaitMail => {}
                }
            }
        }
    }
}
