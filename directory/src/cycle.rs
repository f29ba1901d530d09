//! One life of a connection: begin, hand over what is there, then what changes, until something
//! ends.

use std::path::Path;
use std::rc::Rc;

use crate::batch::Batch;
use crate::link::{Link, Lost};
use crate::orders::Orders;
use crate::source::{Event, Problem, Source};
use crate::status::{Odd, Status};

/// How a cycle ended.
#[derive(Debug)]
pub enum End {
    /// The directory can't be followed any more.
    Directory(String),
    /// Everything has to be read from nothing.
    Anew(String),
    /// `elevated` is not there any more.
    Elevated(Lost),
    /// An order came to read everything from nothing.
    Ordered,
    /// All was told for now.
    Over,
}

impl From<Lost> for End {
    fn from(lost: Lost) -> Self {
        End::Elevated(lost)
    }
}

/// What a cycle needs besides its source.
pub struct Cycle<'a> {
    /// The socket of `elevated`.
    pub socket: &'a Path,
    /// Whether what is stored counts for nothing.
    pub from_nothing: bool,
    /// Where orders come in.
    pub orders: &'a Rc<Orders>,
    /// Where to say how it stands.
    pub status: &'a mut Status,
    /// Whether the directory and `elevated` came to hold the same.
    pub refreshed: bool,
}

/// What was handed over.
#[derive(Default)]
struct Handed {
    batch: Batch,
    odd: Odd,
    records: u64,
}

impl Cycle<'_> {
    /// Lives until something ends.
    pub async fn run(&mut self, source: &mut impl Source) -> End {
        let mut link = match Link::connect(self.socket).await {
            Ok(link) => link,
            Err(lost) => return lost.into(),
        };
        let mut handed = Handed::default();
        let end = match self.follow(source, &mut link, &mut handed).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if let End::Directory(_) = &end
            && self.refreshed
            && !handed.batch.is_empty()
        {
            // A leaver is not kept in by a connection that broke right after. Where this fails, so
            // does what follows.
            let _ = link.apply(&mut handed.batch).await;
        }
        let arrived = !matches!(end, End::Elevated(_))
            && handed.batch.is_empty()
            && link.settle().await.is_ok();
        if !arrived {
            source.forget();
        }
        if let End::Directory(problem) = &end {
            let told = link.contact(Some(problem.clone()), false).await;
            if let Err(lost) = told {
                eprintln!("{lost}");
            }
        }
        source.close().await;
        end
    }

    async fn follow(
        &mut self,
        source: &mut impl Source,
        link: &mut Link,
        handed: &mut Handed,
    ) -> Result<std::convert::Infallible, End> {
        let cursor = link.begin(source.origin()).await?;
        let cursor = cursor.filter(|_| !self.from_nothing);
        let reached = source.follow(cursor.as_deref()).await.map_err(end)?;
        let whence = match reached.from_cursor {
            true => "from the stored cursor on",
            false => "everything",
        };
        let reached = reached.name;
        self.status.note(format!("Reading {reached}, {whence}"));
        loop {
            let event = tokio::select! {
                biased;
                () = self.orders.resync() => return Err(End::Ordered),
                event = source.next() => event.map_err(end)?,
                // What came is handed over before anything is waited for; in a refresh in whole
                // batches.
                () = std::future::ready(()), if self.refreshed && !handed.batch.is_empty() => {
                    link.apply(&mut handed.batch).await?;
                    continue;
                }
                lost = link.watch() => return Err(lost.into()),
            };
            self.take(event, link, &reached, handed).await?;
        }
    }

    async fn take(
        &mut self,
        event: Event,
        link: &mut Link,
        reached: &str,
        handed: &mut Handed,
    ) -> Result<(), End> {
        match event {
            Event::Change(change) => {
                handed.records += 1;
                if let Some(reduced) = handed.batch.change(*change) {
                    let name = elevate_protocol::escape::line(reduced.name.as_bytes());
                    handed.odd.add(&format!(
                        "\"{name}\" is handed on without rights: its entry is too large"
                    ));
                }
            }
            Event::Unchanged(id) => handed.batch.unchanged(&id),
            Event::Cursor(cursor) => handed.batch.cursor(cursor),
            Event::Odd(why) => handed.odd.add(&why),
            Event::Refreshed { everything, cursor } => {
                cursor
                    .into_iter()
                    .for_each(|cursor| handed.batch.cursor(cursor));
                if everything {
                    handed.batch.complete();
                }
                link.apply(&mut handed.batch).await?;
                self.refreshed = true;
                self.alive(link, reached, handed).await?;
            }
            // Before the refresh is over what is stored is as old as it was.
            Event::Alive if self.refreshed => self.alive(link, reached, handed).await?,
            Event::Alive => {}
            Event::Over => return Err(End::Over),
        }
        if handed.batch.is_full() {
            link.apply(&mut handed.batch).await?;
            if !self.refreshed {
                self.status
                    .now(format!("Reading {reached}: {} records", handed.records));
            }
        }
        Ok(())
    }

    /// What was handed over is stored, and is what the directory holds now.
    async fn alive(
        &mut self,
        link: &mut Link,
        reached: &str,
        handed: &mut Handed,
    ) -> Result<(), End> {
        if !handed.batch.is_empty() {
            link.apply(&mut handed.batch).await?;
        }
        link.contact(handed.odd.summary(), true).await?;
        let refused = match link.refused() {
            0 => String::new(),
            count => format!("; {count} records are refused, see `elevatectl directory status`"),
        };
        self.status.well(format!("Following {reached}{refused}"));
        Ok(())
    }
}

fn end(problem: Problem) -> End {
    match problem {
        Problem::Unreachable(why) => End::Directory(why),
        Problem::Anew(why) => End::Anew(why),
    }
}
