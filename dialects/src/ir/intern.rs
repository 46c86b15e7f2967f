//! Interning: equal content, equal index.

use std::hash::Hash;
use std::marker::PhantomData;

use cranelift_entity::EntityRef;
use indexmap::{Equivalent, IndexSet};
use rustc_hash::FxBuildHasher;

/// A table of distinct values with typed indices, in order of first appearance.
#[derive(Clone, Debug)]
pub(crate) struct Interner<K, V> {
    values: IndexSet<V, FxBuildHasher>,
    key: PhantomData<K>,
}

impl<K, V> Default for Interner<K, V> {
    fn default() -> Self {
        Self { values: IndexSet::default(), key: PhantomData }
    }
}

impl<K: EntityRef, V: Hash + Eq> Interner<K, V> {
    pub(crate) fn intern(&mut self, value: V) -> K {
        K::new(self.values.insert_full(value).0)
    }

    pub(crate) fn find<Q: ?Sized + Hash + Equivalent<V>>(&self, value: &Q) -> Option<K> {
        self.values.get_index_of(value).map(K::new)
    }

    pub(crate) fn get(&self, key: K) -> &V {
        &self.values[key.index()]
    }
}
