//! Results that are made once and kept as long as what they were made from.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values of any type beside an immutable thing, one of each type: whoever shows the thing keeps there what is dear to make.
#[derive(Default)]
pub struct Memo(Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Memo {
    /// The kept value of a type; an empty one where none was asked for before.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = kept.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::downcast(Arc::clone(value)).unwrap_or_else(|_| unreachable!("the key is the type of the value"))
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

/// A copy starts empty: what was made from the original need not fit it.
impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}
