//! The tables, and reading them.

use std::sync::Arc;

use cranelift_entity::PrimaryMap;
use cranelift_entity::packed_option::PackedOption;
use smallvec::SmallVec;

use super::attributes::Attribute;
use super::entities::{BlockId, Location, Name, OpId, RegionId, Type, ValueId};
use super::intern::Interner;
use super::locations::LocationKind;
use super::types::{Encoding, FloatKind, TensorType, TypeKind};
use crate::define::{DefaultValue, OpDefinition, Presence, Traits};
use crate::dialects::builtin;
use crate::weights::Weights;

/// A whole program: one `builtin.module` and everything in it.
///
/// All entities live in dense tables and are named by typed indices, which stay valid until the entity is erased and are never reused.
#[derive(Clone, Debug)]
pub struct Ir {
    pub(super) operations: PrimaryMap<OpId, Operation>,
    pub(super) blocks: PrimaryMap<BlockId, Block>,
    pub(super) regions: PrimaryMap<RegionId, Region>,
    pub(super) values: PrimaryMap<ValueId, Value>,
    types: Interner<Type, TypeKind>,
    names: Interner<Name, Box<str>>,
    locations: PrimaryMap<Location, LocationKind>,
    root: OpId,
    /// Constants that are referred to by symbol.
    pub weights: Weights,
}

/// Which operation it is.
#[derive(Clone, Copy, Debug)]
pub enum OpKind {
    /// One that a dialect of this library defines.
    Registered(&'static OpDefinition),
    /// Any other, by name.
    Unregistered(Name),
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which operation it is.
    pub kind: OpKind,
    /// Values it uses.
    pub(super) operands: SmallVec<[ValueId; 4]>,
    /// Values it defines.
    pub(super) results: SmallVec<[ValueId; 1]>,
    /// Attributes in the order they were given.
    pub(super) attributes: SmallVec<[(Name, Attribute); 2]>,
    /// Regions it owns.
    pub(super) regions: SmallVec<[RegionId; 1]>,
    /// Blocks it may branch to.
    pub(super) successors: SmallVec<[BlockId; 1]>,
    /// Where it came from.
    pub location: Location,
    pub(super) block: PackedOption<BlockId>,
    pub(super) previous: PackedOption<OpId>,
    pub(super) next: PackedOption<OpId>,
    pub(super) erased: bool,
}

/// A block.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub(super) arguments: SmallVec<[ValueId; 2]>,
    pub(super) first: PackedOption<OpId>,
    pub(super) last: PackedOption<OpId>,
    pub(super) region: PackedOption<RegionId>,
    /// Its label in text, without `^`.
    pub label: Option<Name>,
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region {
    pub(super) blocks: SmallVec<[BlockId; 1]>,
    pub(super) owner: OpId,
}

/// Where a value is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// Result number of an operation.
    Result(OpId, u32),
    /// Argument number of a block.
    Argument(BlockId, u32),
    /// Nowhere yet: used before its definition was read.
    Forward,
}

/// A value.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its type.
    pub ty: Type,
    /// The user's name for it, without `%`.
    pub name: Option<Name>,
    pub(super) definition: Definition,
    /// Users, one entry for each use, in no particular order.
    pub(super) users: SmallVec<[OpId; 2]>,
}

impl Default for Ir {
    fn default() -> Self {
        Self::new()
    }
}

impl Ir {
    /// An empty module without a name.
    pub fn new() -> Self {
        let mut ir = Self {
            operations: PrimaryMap::new(),
            blocks: PrimaryMap::new(),
            regions: PrimaryMap::new(),
            values: PrimaryMap::new(),
            types: Interner::default(),
            names: Interner::default(),
            locations: PrimaryMap::new(),
            root: OpId::from_u32(0),
            weights: Weights::default(),
        };
        let unknown = ir.locations.push(LocationKind::Unknown);
        ir.root = ir.create_op(OpKind::Registered(&builtin::MODULE), unknown);
        let body = ir.add_region(ir.root);
        ir.add_block(body);
        ir
    }

    /// The `builtin.module`.
    pub const fn root(&self) -> OpId {
        self.root
    }

    /// The block of the module.
    pub fn body(&self) -> BlockId {
        self.region_blocks(self.op_regions(self.root)[0])[0]
    }

    /// The operation's record.
    pub fn op(&self, op: OpId) -> &Operation {
        &self.operations[op]
    }

    /// The operation's definition, if its dialect is known.
    pub fn definition(&self, op: OpId) -> Option<&'static OpDefinition> {
        match self.operations[op].kind {
            OpKind::Registered(definition) => Some(definition),
            OpKind::Unregistered(_) => None,
        }
    }

    /// The operation's full name, `dialect.name`.
    pub fn op_name(&self, op: OpId) -> &str {
        match self.operations[op].kind {
            OpKind::Registered(definition) => definition.name,
            OpKind::Unregistered(name) => self.text(name),
        }
    }

    /// Whether the operation is the one `definition` defines.
    pub fn is(&self, op: OpId, definition: &'static OpDefinition) -> bool {
        self.definition(op).is_some_and(|own| own.is(definition))
    }

    /// Whether the operation's definition has all of `traits`.
    pub fn has_traits(&self, op: OpId, traits: Traits) -> bool {
        self.definition(op).is_some_and(|definition| definition.traits.has(traits))
    }

    /// The operation's operands.
    pub fn operands(&self, op: OpId) -> &[ValueId] {
        &self.operations[op].operands
    }

    /// Operand `index`.
    ///
    /// # Panics
    /// If there is none; verified operations have the operands their definition says.
    pub fn operand(&self, op: OpId, index: usize) -> ValueId {
        self.operations[op].operands[index]
    }

    /// The operation's results.
    pub fn results(&self, op: OpId) -> &[ValueId] {
        &self.operations[op].results
    }

    /// The first result.
    ///
    /// # Panics
    /// If there is none.
    pub fn result(&self, op: OpId) -> ValueId {
        self.operations[op].results[0]
    }

    /// The operation's regions.
    pub fn op_regions(&self, op: OpId) -> &[RegionId] {
        &self.operations[op].regions
    }

    /// The blocks the operation may branch to.
    pub fn successors(&self, op: OpId) -> &[BlockId] {
        &self.operations[op].successors
    }

    /// The region's blocks.
    pub fn region_blocks(&self, region: RegionId) -> &[BlockId] {
        &self.regions[region].blocks
    }

    /// The operation that owns the region.
    pub fn region_owner(&self, region: RegionId) -> OpId {
        self.regions[region].owner
    }

    /// The block's record.
    pub fn block(&self, block: BlockId) -> &Block {
        &self.blocks[block]
    }

    /// The block's arguments.
    pub fn arguments(&self, block: BlockId) -> &[ValueId] {
        &self.blocks[block].arguments
    }

    /// The region the block is in.
    pub fn block_region(&self, block: BlockId) -> Option<RegionId> {
        self.blocks[block].region.expand()
    }

    /// The block the operation is in.
    pub fn parent_block(&self, op: OpId) -> Option<BlockId> {
        self.operations[op].block.expand()
    }

    /// The operation whose region contains this one.
    pub fn parent_op(&self, op: OpId) -> Option<OpId> {
        let region = self.block_region(self.parent_block(op)?)?;
        Some(self.region_owner(region))
    }

    /// The block's last operation.
    pub fn last_op(&self, block: BlockId) -> Option<OpId> {
        self.blocks[block].last.expand()
    }

    /// The operation after this one in its block.
    pub fn next_op(&self, op: OpId) -> Option<OpId> {
        self.operations[op].next.expand()
    }

    /// The operations of a block, in order.
    pub fn ops(&self, block: BlockId) -> impl Iterator<Item = OpId> + '_ {
        std::iter::successors(self.blocks[block].first.expand(), |&op| self.operations[op].next.expand())
    }

    /// Whether the operation was erased.
    pub fn is_erased(&self, op: OpId) -> bool {
        self.operations[op].erased
    }

    /// The value's record.
    pub fn value(&self, value: ValueId) -> &Value {
        &self.values[value]
    }

    /// The value's type.
    pub fn value_type(&self, value: ValueId) -> Type {
        self.values[value].ty
    }

    /// Where the value is defined.
    pub fn value_definition(&self, value: ValueId) -> Definition {
        self.values[value].definition
    }

    /// The operation that defines the value, unless it is a block argument.
    pub fn defining_op(&self, value: ValueId) -> Option<OpId> {
        match self.values[value].definition {
            Definition::Result(op, _) => Some(op),
            _ => None,
        }
    }

    /// The operations that use the value, each once, in order of creation.
    pub fn users(&self, value: ValueId) -> Vec<OpId> {
        let mut users = self.values[value].users.to_vec();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Number of uses.
    pub fn use_count(&self, value: ValueId) -> usize {
        self.values[value].users.len()
    }

    /// The user's name of a value.
    pub fn value_name(&self, value: ValueId) -> Option<&str> {
        self.values[value].name.map(|name| self.text(name))
    }

    /// The attributes as stored, without defaults.
    pub fn attributes(&self, op: OpId) -> &[(Name, Attribute)] {
        &self.operations[op].attributes
    }

    /// The stored attribute called `name`.
    pub fn attribute(&self, op: OpId, name: &str) -> Option<&Attribute> {
        self.operations[op].attributes.iter().find(|(own, _)| self.text(*own) == name).map(|(_, value)| value)
    }

    fn default_of(&self, op: OpId, name: &str) -> Option<DefaultValue> {
        match self.definition(op)?.attribute(name)?.presence {
            Presence::Default(value) => Some(value),
            _ => None,
        }
    }

    /// An integer attribute or its default.
    pub fn int(&self, op: OpId, name: &str) -> Option<i64> {
        match (self.attribute(op, name), self.default_of(op, name)) {
            (Some(attribute), _) => attribute.as_int(),
            (None, Some(DefaultValue::Int(value))) => Some(value),
            _ => None,
        }
    }

    /// A list of integers or its default.
    pub fn ints(&self, op: OpId, name: &str) -> Option<Vec<i64>> {
        match (self.attribute(op, name), self.default_of(op, name)) {
            (Some(attribute), _) => attribute.as_ints(),
            (None, Some(DefaultValue::Ints(values))) => Some(values.to_vec()),
            _ => None,
        }
    }

    /// A list of exactly `N` integers or its default.
    pub fn int_array<const N: usize>(&self, op: OpId, name: &str) -> Option<[i64; N]> {
        self.ints(op, name)?.try_into().ok()
    }

    /// A float.
    pub fn float(&self, op: OpId, name: &str) -> Option<f64> {
        self.attribute(op, name)?.as_float()
    }

    /// A list of floats.
    pub fn floats(&self, op: OpId, name: &str) -> Option<Vec<f64>> {
        self.attribute(op, name)?.as_floats()
    }

    /// A truth value or its default.
    pub fn bool(&self, op: OpId, name: &str) -> Option<bool> {
        match (self.attribute(op, name), self.default_of(op, name)) {
            (Some(attribute), _) => attribute.as_bool(),
            (None, Some(DefaultValue::Bool(value))) => Some(value),
            _ => None,
        }
    }

    /// A string or its default.
    pub fn str(&self, op: OpId, name: &str) -> Option<&str> {
        match (self.attribute(op, name), self.default_of(op, name)) {
            (Some(attribute), _) => attribute.as_str(),
            (None, Some(DefaultValue::Str(value))) => Some(value),
            _ => None,
        }
    }

    /// The symbol the operation defines.
    pub fn symbol_name(&self, op: OpId) -> Option<&str> {
        self.str(op, "sym_name")
    }

    /// The operation in the module's block that defines the symbol `name`.
    pub fn find_symbol(&self, name: &str) -> Option<OpId> {
        self.ops(self.body()).find(|&op| self.has_traits(op, Traits::SYMBOL) && self.symbol_name(op) == Some(name))
    }

    /// Interns a name.
    pub fn name(&mut self, text: &str) -> Name {
        match self.names.find(text) {
            Some(name) => name,
            None => self.names.intern(text.into()),
        }
    }

    /// The name with this text, if anything has it.
    pub fn find_name(&self, text: &str) -> Option<Name> {
        self.names.find(text)
    }

    /// The text of a name.
    pub fn text(&self, name: Name) -> &str {
        self.names.get(name)
    }

    /// Interns a type.
    pub fn intern_type(&mut self, kind: TypeKind) -> Type {
        self.types.intern(kind)
    }

    /// The content of a type.
    pub fn type_kind(&self, ty: Type) -> &TypeKind {
        self.types.get(ty)
    }

    /// The type as a tensor.
    pub fn tensor(&self, ty: Type) -> Option<&TensorType> {
        match self.types.get(ty) {
            TypeKind::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The value's type as a tensor.
    pub fn tensor_of(&self, value: ValueId) -> Option<&TensorType> {
        self.tensor(self.value_type(value))
    }

    /// The value's shape, if it is a tensor with known dimensions.
    pub fn shape_of(&self, value: ValueId) -> Option<Vec<usize>> {
        self.tensor_of(value)?.static_shape()
    }

    /// The value's fix point, if it is a fixed-point tensor.
    pub fn fix_of(&self, value: ValueId) -> Option<i32> {
        self.tensor_of(value)?.fix_point()
    }

    /// `i<width>`
    pub fn integer_type(&mut self, width: u32) -> Type {
        self.intern_type(TypeKind::Integer { width, signed: None })
    }

    /// `tensor<shape x f32>`
    pub fn float_tensor(&mut self, shape: &[usize]) -> Type {
        let element = self.intern_type(TypeKind::Float(FloatKind::F32));
        self.tensor_type(shape, element, None)
    }

    /// `tensor<shape x i8, #int8.fix<fix_point>>`
    pub fn fix_tensor(&mut self, shape: &[usize], fix_point: i32) -> Type {
        let element = self.integer_type(8);
        self.tensor_type(shape, element, Some(Encoding::Fix(fix_point)))
    }

    /// A tensor with known dimensions.
    pub fn tensor_type(&mut self, shape: &[usize], element: Type, encoding: Option<Encoding>) -> Type {
        let shape = shape.iter().map(|&dim| Some(dim as u64)).collect();
        self.intern_type(TypeKind::Tensor(TensorType { shape, element, encoding }))
    }

    /// Adds a location.
    pub fn location(&mut self, kind: LocationKind) -> Location {
        self.locations.push(kind)
    }

    /// The unknown location.
    pub fn unknown_location(&self) -> Location {
        Location::from_u32(0)
    }

    /// The location of a node of the framework's graph.
    pub fn named_location(&mut self, name: impl Into<Arc<str>>) -> Location {
        self.location(LocationKind::Name(name.into(), None))
    }

    /// One location for an operation that replaces those at `parts`. Equal parts count once; nothing but unknown parts gives unknown.
    pub fn fused_location(&mut self, parts: impl IntoIterator<Item = Location>) -> Location {
        let mut distinct: Vec<Location> = Vec::new();
        for part in parts {
            let pieces: Vec<Location> = match self.location_kind(part) {
                LocationKind::Unknown => continue,
                LocationKind::Fused(inner) => inner.to_vec(),
                _ => vec![part],
            };
            for piece in pieces {
                if !distinct.iter().any(|&own| self.location_kind(own) == self.location_kind(piece)) {
                    distinct.push(piece);
                }
            }
        }
        match distinct[..] {
            [] => self.unknown_location(),
            [only] => only,
            _ => self.location(LocationKind::Fused(distinct.into())),
        }
    }

    /// The content of a location.
    pub fn location_kind(&self, location: Location) -> &LocationKind {
        &self.locations[location]
    }

    /// Names of the framework's nodes in a location, in order: an operation's own first, its result tensor's last.
    pub fn location_names(&self, location: Location) -> Vec<&str> {
        match &self.locations[location] {
            LocationKind::Name(name, _) => vec![name],
            LocationKind::Fused(parts) => parts.iter().flat_map(|&part| self.location_names(part)).collect(),
            _ => Vec::new(),
        }
    }

    /// The first node name in a location, the key of reports.
    pub fn location_name(&self, location: Location) -> Option<&str> {
        self.location_names(location).first().copied()
    }
}
