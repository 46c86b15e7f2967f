//! Networks as shapes: all that the time of a program depends on.

/// A feature map of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapId(pub(crate) usize);

/// What an operator computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Convolution over all channels; a fully connected layer is one over the whole map.
    Conv,
    /// Convolution of each channel by itself.
    Depthwise,
    /// Max or average pool.
    Pool,
    /// Sum of two maps.
    Add,
    /// Maps side by side in their channels.
    Concat,
}

/// One operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// What it computes.
    pub kind: Kind,
    /// Operands.
    pub inputs: Vec<MapId>,
    /// Result.
    pub output: MapId,
    /// Window size, `[height, width]`.
    pub kernel: [u32; 2],
    /// The same in both directions.
    pub stride: u32,
    /// Padding above the map.
    pub pad_top: u32,
}

/// Operators in the order of their execution, and the shapes of their maps.
#[derive(Clone, Debug)]
pub struct Network {
    /// Shapes `[height, width, channels]`; the first is the input's.
    pub(crate) shapes: Vec<[u32; 3]>,
    pub(crate) operators: Vec<Operator>,
}

impl Network {
    /// A network without operators, and its input.
    pub fn new(input: [u32; 3]) -> (Self, MapId) {
        (Self { shapes: vec![input], operators: Vec::new() }, MapId(0))
    }

    /// The shape of a map, `[height, width, channels]`.
    pub fn shape(&self, map: MapId) -> [u32; 3] {
        self.shapes[map.0]
    }

    /// Convolution with a square kernel; the output has `1 / stride` of the input's rows and columns, rounded up.
    pub fn conv(&mut self, input: MapId, channels: u32, kernel: u32, stride: u32) -> MapId {
        self.window(Kind::Conv, input, channels, [kernel; 2], stride, true)
    }

    /// Convolution with any kernel and stride 1; the output is as large as the input.
    pub fn conv_of(&mut self, input: MapId, channels: u32, kernel: [u32; 2]) -> MapId {
        self.window(Kind::Conv, input, channels, kernel, 1, true)
    }

    /// Convolution without padding.
    pub fn conv_valid(&mut self, input: MapId, channels: u32, kernel: u32, stride: u32) -> MapId {
        self.window(Kind::Conv, input, channels, [kernel; 2], stride, false)
    }

    /// Depthwise convolution 3 × 3.
    pub fn depthwise(&mut self, input: MapId, stride: u32) -> MapId {
        let channels = self.shape(input)[2];
        self.window(Kind::Depthwise, input, channels, [3; 2], stride, true)
    }

    /// Pool; padded like [`Network::conv`].
    pub fn pool(&mut self, input: MapId, kernel: u32, stride: u32) -> MapId {
        let channels = self.shape(input)[2];
        self.window(Kind::Pool, input, channels, [kernel; 2], stride, true)
    }

    /// Pool without padding.
    pub fn pool_valid(&mut self, input: MapId, kernel: u32, stride: u32) -> MapId {
        let channels = self.shape(input)[2];
        self.window(Kind::Pool, input, channels, [kernel; 2], stride, false)
    }

    /// Pool over the whole map.
    pub fn global_pool(&mut self, input: MapId) -> MapId {
        let [height, width, channels] = self.shape(input);
        self.window(Kind::Pool, input, channels, [height, width], 1, false)
    }

    /// Sum.
    pub fn add(&mut self, first: MapId, second: MapId) -> MapId {
        let shape = self.shape(first);
        assert_eq!(shape, self.shape(second), "operands of a sum have one shape");
        self.push(Kind::Add, vec![first, second], shape, [1; 2], 1, 0)
    }

    /// Concatenation of channels.
    pub fn concat(&mut self, inputs: &[MapId]) -> MapId {
        let [height, width, _] = self.shape(inputs[0]);
        let channels = inputs.iter().map(|&input| self.shape(input)[2]).sum();
        self.push(Kind::Concat, inputs.to_vec(), [height, width, channels], [1; 2], 1, 0)
    }

    fn window(&mut self, kind: Kind, input: MapId, channels: u32, kernel: [u32; 2], stride: u32, same: bool) -> MapId {
        let [height, width, _] = self.shape(input);
        let size = |size: u32, kernel: u32| {
            if same { size.div_ceil(stride) } else { (size - kernel) / stride + 1 }
        };
        let shape = [size(height, kernel[0]), size(width, kernel[1]), channels];
        let pads = ((shape[0] - 1) * stride + kernel[0]).saturating_sub(height);
        self.push(kind, vec![input], shape, kernel, stride, if same { pads / 2 } else { 0 })
    }

    fn push(
        &mut self,
        kind: Kind,
        inputs: Vec<MapId>,
        shape: [u32; 3],
        kernel: [u32; 2],
        stride: u32,
        pad_top: u32,
    ) -> MapId {
        let output = MapId(self.shapes.len());
        self.shapes.push(shape);
        self.operators.push(Operator { kind, inputs, output, kernel, stride, pad_top });
        output
    }

    /// Multiplications and additions of its convolutions.
    pub fn operations(&self) -> u64 {
        let of = |operator: &Operator| {
            let product = |numbers: &[u32]| numbers.iter().map(|&number| u64::from(number)).product::<u64>();
            let outputs = product(&self.shape(operator.output)) * product(&operator.kernel);
            match operator.kind {
                Kind::Conv => 2 * outputs * u64::from(self.shape(operator.inputs[0])[2]),
                Kind::Depthwise => 2 * outputs,
                Kind::Pool | Kind::Add | Kind::Concat => 0,
            }
        };
        self.operators.iter().map(of).sum()
    }

    /// Positions of the operators that read a map.
    pub(crate) fn readers(&self, map: MapId) -> impl Iterator<Item = usize> {
        self.operators.iter().enumerate().filter(move |(_, operator)| operator.inputs.contains(&map)).map(|(at, _)| at)
    }
}
