//! Constants that live outside the text: a side file in safetensors format, memory-mapped, or tensors in memory.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use thiserror::Error;

/// Element types of constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// IEEE single, little-endian.
    F32,
    /// Signed byte.
    I8,
    /// Signed 32-bit, little-endian.
    I32,
    /// Signed 64-bit, little-endian.
    I64,
}

impl ElementType {
    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::F32 | Self::I32 => 4,
            Self::I64 => 8,
        }
    }

    const fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::I8 => Dtype::I8,
            Self::I32 => Dtype::I32,
            Self::I64 => Dtype::I64,
        }
    }

    fn from_dtype(dtype: Dtype) -> Option<Self> {
        [Self::F32, Self::I8, Self::I32, Self::I64].into_iter().find(|own| own.dtype() == dtype)
    }
}

/// One constant tensor, C order.
#[derive(Clone, Debug)]
pub struct Weight {
    /// Element type.
    pub element: ElementType,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Owned(Arc<[u8]>),
    Mapped { file: Arc<Mmap>, start: usize, end: usize },
}

/// Why a side file cannot be used.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The file cannot be opened or mapped.
    #[error("cannot open the weights {path}: {source}")]
    Open {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is no valid safetensors file.
    #[error("{path} is no valid safetensors file: {reason}")]
    Format {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A tensor has an element type that is not used here.
    #[error("tensor `{name}` in {path} has element type {found:?}; F32, I8, I32 and I64 can be used")]
    Element {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// Its element type.
        found: Dtype,
    },
    /// Number of bytes and shape disagree.
    #[error("tensor `{name}` of shape {shape:?} needs {expected} bytes but has {found}")]
    Size {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Bytes the shape needs.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
}

impl Weight {
    /// A tensor in memory; `bytes` are its elements in C order, little-endian.
    pub fn new(element: ElementType, shape: &[usize], bytes: impl Into<Arc<[u8]>>) -> Result<Self, WeightsError> {
        let bytes = bytes.into();
        let expected = shape.iter().try_fold(element.bytes(), |size, &dim| size.checked_mul(dim)).unwrap_or(usize::MAX);
        if expected != bytes.len() {
            let (shape, found) = (shape.to_vec(), bytes.len());
            return Err(WeightsError::Size { name: String::new(), shape, expected, found });
        }
        Ok(Self { element, shape: shape.to_vec(), data: Data::Owned(bytes) })
    }

    /// A tensor of floats.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Result<Self, WeightsError> {
        Self::new(ElementType::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
    }

    /// A tensor of signed bytes.
    pub fn from_i8(shape: &[usize], values: &[i8]) -> Result<Self, WeightsError> {
        Self::new(ElementType::I8, shape, values.iter().map(|&value| value as u8).collect::<Vec<_>>())
    }

    /// The elements' bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Owned(bytes) => bytes,
            Data::Mapped { file, start, end } => &file[*start..*end],
        }
    }

    /// The elements, if they are signed bytes.
    pub fn to_i8(&self) -> Option<Vec<i8>> {
        (self.element == ElementType::I8).then(|| self.bytes().iter().map(|&byte| byte as i8).collect())
    }

    /// The elements, if they are floats.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let (chunks, _) = self.bytes().as_chunks::<4>();
        (self.element == ElementType::F32).then(|| chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }
}

/// Constants by symbol, in order of definition.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    entries: IndexMap<Arc<str>, Weight>,
}

impl Weights {
    /// The constant called `name`.
    pub fn get(&self, name: &str) -> Option<&Weight> {
        self.entries.get(name)
    }

    /// Adds or replaces a constant.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, weight: Weight) {
        self.entries.insert(name.into(), weight);
    }

    /// A name for a new constant: `wish`, or `wish` with a number.
    pub fn free_name(&self, wish: &str) -> String {
        let mut name = wish.to_owned();
        let mut number = 0;
        while self.entries.contains_key(name.as_str()) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        name
    }

    /// All constants in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Weight)> {
        self.entries.iter().map(|(name, weight)| (&**name, weight))
    }

    /// Number of constants.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keeps only the constants whose name `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.entries.retain(|name, _| keep(name));
    }

    /// Maps a safetensors file and adds its tensors.
    pub fn open(&mut self, path: &Path) -> Result<(), WeightsError> {
        let shown = path.display().to_string();
        let open = |source| WeightsError::Open { path: shown.clone(), source };
        let file = File::open(path).map_err(open)?;
        // SAFETY: the mapping is read-only and private to this process' view of a file that holds plain bytes; if another process
        // truncates the file while it is mapped, reads fault, which is the accepted price of mapping instead of copying.
        #[expect(unsafe_code, reason = "memory map; see DESIGN.md, `unsafe` lives in kernels, jit and the memory map")]
        let map = unsafe { Mmap::map(&file) }.map_err(open)?;
        let file = Arc::new(map);
        self.add_file(&shown, &file, |start, end| Data::Mapped { file: Arc::clone(&file), start, end })
    }

    /// Adds the tensors of a safetensors file in memory; `name` is what errors call it.
    pub fn read(&mut self, name: &str, bytes: &[u8]) -> Result<(), WeightsError> {
        self.add_file(name, bytes, |start, end| Data::Owned(bytes[start..end].into()))
    }

    fn add_file(&mut self, name: &str, file: &[u8], data: impl Fn(usize, usize) -> Data) -> Result<(), WeightsError> {
        let format = |reason: safetensors::SafeTensorError| WeightsError::Format {
            path: name.to_owned(),
            reason: reason.to_string(),
        };
        let (header, metadata) = SafeTensors::read_metadata(file).map_err(format)?;
        let base = header + std::mem::size_of::<u64>();
        let mut tensors: Vec<_> = metadata.tensors().into_iter().collect();
        tensors.sort_by_key(|(tensor, info)| (info.data_offsets, tensor.clone()));
        for (tensor, info) in tensors {
            let Some(element) = ElementType::from_dtype(info.dtype) else {
                return Err(WeightsError::Element { path: name.to_owned(), name: tensor, found: info.dtype });
            };
            let (start, end) = (base + info.data_offsets.0, base + info.data_offsets.1);
            let data = data(start, end);
            self.insert(tensor, Weight { element, shape: info.shape.clone(), data });
        }
        Ok(())
    }

    /// The bytes of a safetensors file with all constants.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, WeightsError> {
        let format = |reason: safetensors::SafeTensorError| WeightsError::Format {
            path: "the constants".to_owned(),
            reason: reason.to_string(),
        };
        let views = self.entries.iter().map(|(name, weight)| {
            TensorView::new(weight.element.dtype(), weight.shape.clone(), weight.bytes()).map(|view| (&**name, view))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(format)?;
        safetensors::serialize(views, None).map_err(format)
    }
}
