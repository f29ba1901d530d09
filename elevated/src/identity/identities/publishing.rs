//! The folder of records, kept in step beside everything else.

use std::sync::Arc;

use super::Identities;
use crate::identity::People;

impl Identities {
    /// Publish these people and nobody else.
    ///
    /// # Errors
    /// What could not be done, which is tried again with the next call, and whether it is the same
    /// as the last time.
    pub async fn publish(&self, people: &Arc<People>) -> Result<(), (String, bool)> {
        let done = self.try_to_publish(people).await;
        let problem = done.as_ref().err().cloned();
        let before = std::mem::replace(&mut self.inner().problems[1], problem.clone());
        done.map_err(|why| (why, before == problem))
    }

    async fn try_to_publish(&self, people: &Arc<People>) -> Result<(), String> {
        let mut slot = self.publisher.lock().await;
        if slot
            .1
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, people))
        {
            return Ok(());
        }
        let Some(mut publisher) = slot.0.take() else {
            return Err("a publishing before this one did not end".into());
        };
        let all = Arc::clone(people);
        // Thousands of files at a first time, and others are waiting.
        let job = tokio::task::spawn_blocking(move || (publisher.publish(&all), publisher));
        let (outcome, publisher) = job.await.map_err(|error| error.to_string())?;
        slot.0 = Some(publisher);
        let done = match outcome {
            Ok(outcome) if outcome.taken.is_empty() => Ok(()),
            Ok(outcome) => Err(format!(
                "not published, as these files are not ours: {}",
                outcome.taken.join(" ")
            )),
            Err(error) => Err(format!("people can't be published: {error}")),
        };
        slot.1 = done.is_ok().then(|| Arc::clone(people));
        done
    }
}
