// Everything between the matrix products of the transformer, for a graphics processor: f32, sums in f32 in a fixed order.
//
// Plain CUDA C without headers: NVRTC compiles it when a device is opened, and a C++ compiler for the test that runs it on the
// processor. Pointers come first, then counts, then numbers. Blocks have a power of two threads, at most 1,024. Nothing is
// added atomically: every value is one thread's sum in a written order.

typedef unsigned int u32;
typedef unsigned long long u64;

#define THREADS_MAX 1024

// Place of the thread among all.
__device__ u64 place() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

// Sum of the block's values, for all of its threads.
__device__ float block_sum(float value, float *shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  float sum = shared[0];
  __syncthreads();
  return sum;
}

// Largest of the block's values, for all of its threads. What is no number may be passed over: the sum behind it is none then.
__device__ float block_largest(float value, float *shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      float other = shared[threadIdx.x + half];
      if (!(shared[threadIdx.x] >= other)) shared[threadIdx.x] = other;
    }
    __syncthreads();
  }
  float largest = shared[0];
  __syncthreads();
  return largest;
}

extern "C" {

__global__ void fill_zero(float *x, u64 count) {
  u64 at = place();
  if (at < count) x[at] = 0.0f;
}

// x[row] = embedding[ids[row]].
__global__ void embed(float *x, const float *embedding, const u32 *ids, u64 count, u32 width) {
  u64 at = place();
  if (at < count) x[at] = embedding[(u64)ids[at / width] * width + at % width];
}

// A block adds the rows of one id, in their order. `order` lists rows by id, `starts` where each id begins.
__global__ void embed_back(float *to, const float *dx, const u32 *ids, const u32 *order, const u32 *starts, u32 width) {
  u32 from = starts[blockIdx.x], end = starts[blockIdx.x + 1];
  u64 row = (u64)ids[order[from]] * width;
  for (u32 column = threadIdx.x; column < width; column += blockDim.x) {
    float sum = to[row + column];
    for (u32 at = from; at < end; at++) sum += dx[(u64)order[at] * width + column];
    to[row + column] = sum;
  }
}

// A block a row: keeps x, writes y = x / sqrt(mean(x^2) + epsilon) * gain.
__global__ void normalise(float *kept, float *y, float *scales, const float *x, const float *gain, u32 width, float epsilon) {
  __shared__ float shared[THREADS_MAX];
  u64 row = (u64)blockIdx.x * width;
  float squares = 0.0f;
  for (u32 column = threadIdx.x; column < width; column += blockDim.x) squares += x[row + column] * x[row + column];
  float scale = 1.0f / sqrtf(block_sum(squares, shared) / (float)width + epsilon);
  if (threadIdx.x == 0) scales[blockIdx.x] = scale;
  for (u32 column = threadIdx.x; column < width; column += blockDim.x) {
    kept[row + column] = x[row + column];
    y[row + column] = x[row + column] * scale * gain[column];
  }
}

// A block a row: adds the gradient of a normalisation's input.
__global__ void normalise_back(float *dx, const float *x, const float *scales, const float *gain, const float *dy, u32 width) {
  __shared__ float shared[THREADS_MAX];
  u64 row = (u64)blockIdx.x * width;
  float scale = scales[blockIdx.x], dot = 0.0f;
  for (u32 column = threadIdx.x; column < width; column += blockDim.x)
    dot += dy[row + column] * gain[column] * x[row + column];
  float pull = block_sum(dot, shared) * scale * scale * scale / (float)width;
  for (u32 column = threadIdx.x; column < width; column += blockDim.x)
    dx[row + column] += dy[row + column] * gain[column] * scale - x[row + column] * pull;
}

// A block of rows: their part of the gain's gradient.
__global__ void gain_back(float *parts, const float *x, const float *scales, const float *dy, u32 rows, u32 each, u32 width) {
  u32 from = blockIdx.x * each, end = from + each < rows ? from + each : rows;
  for (u32 column = threadIdx.x; column < width; column += blockDim.x) {
    float sum = 0.0f;
    for (u32 row = from; row < end; row++)
      sum += dy[(u64)row * width + column] * x[(u64)row * width + column] * scales[row];
    parts[(u64)blockIdx.x * width + column] = sum;
  }
}

// Adds all parts of a gain's gradient, in their order.
__global__ void add_parts(float *to, const float *parts, u32 count, u32 width) {
  u64 column = place();
  if (column >= width) return;
  float sum = 0.0f;
  for (u32 part = 0; part < count; part++) sum += parts[(u64)part * width + column];
  to[column] += sum;
}

// A thread a pair of q or k: rotates it by its position's angle, or back where direction is -1.
__global__ void rotate(float *qkv, const float *query_angles, const float *key_angles, u64 count, u32 length, u32 width,
                       u32 head_width, float direction) {
  u64 at = place();
  if (at >= count) return;
  u32 half = head_width / 2;
  u64 row = at / width;
  u32 pair = (u32)(at % width);
  u32 part = pair / (width / 2);
  pair %= width / 2;
  u32 head = pair / half, turn = pair % half;
  const float *angles = (part == 0 ? query_angles : key_angles) + (row % length) * head_width;
  float *first = qkv + row * 3 * width + part * width + head * head_width + turn;
  float cosine = angles[turn], sine = angles[half + turn] * direction;
  float x = first[0], y = first[half];
  first[0] = x * cosine - y * sine;
  first[half] = y * cosine + x * sine;
}

// A block a row of scores: softmax of what the row may see; the rest becomes 0.
__global__ void softmax_prefix(float *scores, u32 length) {
  __shared__ float shared[THREADS_MAX];
  float *row = scores + (u64)blockIdx.x * length;
  u32 seen = blockIdx.x % length + 1;
  float top = -3.4e38f;
  for (u32 column = threadIdx.x; column < seen; column += blockDim.x)
    if (!(top >= row[column])) top = row[column];
  top = block_largest(top, shared);
  float sum = 0.0f;
  for (u32 column = threadIdx.x; column < seen; column += blockDim.x) {
    row[column] = expf(row[column] - top);
    sum += row[column];
  }
  float scale = 1.0f / block_sum(sum, shared);
  for (u32 column = threadIdx.x; column < length; column += blockDim.x)
    row[column] = column < seen ? row[column] * scale : 0.0f;
}

// A block a row: the gradient of a softmax, d becomes p * (d - sum(d * p)).
__global__ void softmax_back(float *scores, const float *probabilities, u32 length) {
  __shared__ float shared[THREADS_MAX];
  float *d = scores + (u64)blockIdx.x * length;
  const float *p = probabilities + (u64)blockIdx.x * length;
  u32 seen = blockIdx.x % length + 1;
  float dot = 0.0f;
  for (u32 column = threadIdx.x; column < seen; column += blockDim.x) dot += d[column] * p[column];
  dot = block_sum(dot, shared);
  for (u32 column = threadIdx.x; column < length; column += blockDim.x)
    d[column] = column < seen ? p[column] * (d[column] - dot) : 0.0f;
}

// to = silu(a) * c.
__global__ void gate(float *to, const float *ac, u64 count, u32 hidden) {
  u64 at = place();
  if (at >= count) return;
  const float *row = ac + at / hidden * 2 * hidden + at % hidden;
  float a = row[0];
  to[at] = a / (1.0f + expf(-a)) * row[hidden];
}

// The gradient of `gate` takes the place of a and c.
__global__ void gate_back(float *ac, const float *dy, u64 count, u32 hidden) {
  u64 at = place();
  if (at >= count) return;
  float *row = ac + at / hidden * 2 * hidden + at % hidden;
  float a = row[0], c = row[hidden], d = dy[at];
  float sigmoid = 1.0f / (1.0f + expf(-a));
  float silu = a * sigmoid;
  row[0] = d * c * (sigmoid * (1.0f + a - silu));
  row[hidden] = d * silu;
}

// A block a row: the loss of the target; with a weight the row becomes its gradient.
__global__ void cross_entropy(float *logits, float *losses, const u32 *targets, u32 vocabulary, u32 step, float weight) {
  __shared__ float shared[THREADS_MAX];
  float *row = logits + (u64)blockIdx.x * step;
  u32 target = targets[blockIdx.x];
  float of_target = row[target], top = -3.4e38f;
  for (u32 id = threadIdx.x; id < vocabulary; id += blockDim.x)
    if (!(top >= row[id])) top = row[id];
  top = block_largest(top, shared);
  float sum = 0.0f;
  for (u32 id = threadIdx.x; id < vocabulary; id += blockDim.x) sum += expf(row[id] - top);
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) losses[blockIdx.x] = logf(sum) + top - of_target;
  if (weight == 0.0f) return;
  for (u32 id = threadIdx.x; id < vocabulary; id += blockDim.x)
    row[id] = expf(row[id] - top) * (weight / sum) - (id == target ? weight : 0.0f);
}

// A thread a piece of the gradient: the sum of its squares.
__global__ void squares(double *sums, const float *gradient, u64 count, u64 each) {
  u64 at = place();
  u64 from = at * each, end = from + each < count ? from + each : count;
  if (from >= count) return;
  double sum = 0.0;
  for (u64 value = from; value < end; value++) sum += (double)gradient[value] * (double)gradient[value];
  sums[at] = sum;
}

// One step of AdamW.
__global__ void adamw(float *values, float *first, float *second, const float *gradient, u64 count, float clip, float keep,
                      float rate, float root, float beta_first, float rest_first, float beta_second, float rest_second,
                      float epsilon) {
  u64 at = place();
  if (at >= count) return;
  float g = gradient[at] * clip;
  float m = first[at] * beta_first + g * rest_first;
  float v = second[at] * beta_second + g * g * rest_second;
  first[at] = m;
  second[at] = v;
  values[at] = values[at] * keep - rate * m / (sqrtf(v) * root + epsilon);
}

}
