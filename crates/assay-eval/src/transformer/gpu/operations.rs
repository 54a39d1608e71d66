//! The model's operations, each from a few kernels and products.

use super::device::{Buffer, Device, Rows};
use super::machine::{Arg, Machine, MachineError, Place};
use crate::transformer::engine::{Attended, Engine, HeadGradient, Norm, Part, PartMut, Sizes, Tokens};
use crate::transformer::kernel::NORM_EPSILON;
use crate::transformer::matmul::Old;

/// Values that logits of a row are filled up to: rows that begin at multiples of 32 bytes are what fast products need.
const LOGITS_ALIGN: usize = 8;

/// Rows a block sums into one part of a gain's gradient.
const GAIN_ROWS: usize = 64;

/// A size as kernels take it; sizes of models are far below 2^32.
fn size(value: usize) -> Arg {
    Arg::Size(u32::try_from(value).unwrap_or(u32::MAX))
}

impl<M: Machine> Device<M> {
    /// Rotates all q and k, or back.
    fn rotate(&mut self, qkv: Place, length: usize, direction: f32) {
        let (d, rows) = (self.shape.width, qkv.words / (3 * self.shape.width));
        let angles = length * self.shape.head_width();
        let places = [
            (qkv, rows * 3 * d),
            (self.query_angles.place, angles),
            (self.key_angles.place, angles),
        ];
        let sizes = [length, d, self.shape.head_width()].map(size);
        let rest = [sizes[0], sizes[1], sizes[2], Arg::Number(direction)];
        // A pair of q and one of k for each two values of the width.
        self.each("rotate", rows * d, &places, &rest);
    }

    /// q (0), k (1) or v (2) of a head, of all sequences.
    fn heads(&mut self, qkv: Place, length: usize, part: usize, head: usize) -> Rows {
        let (d, width) = (self.shape.width, self.shape.head_width());
        let from = part * d + head * width;
        let place = self.part(qkv, from, qkv.words.saturating_sub(from));
        Rows::new(place, 3 * d).each(length * 3 * d)
    }

    /// A head's scores of all sequences.
    fn of_head(&mut self, scores: Place, length: usize, head: usize) -> Rows {
        let from = head * length * length;
        let place = self.part(scores, from, scores.words.saturating_sub(from));
        Rows::new(place, length).each(self.shape.heads * length * length)
    }

    /// A head's columns of rows of the stream's width, of all sequences.
    fn columns(&mut self, rows: Place, length: usize, head: usize) -> Rows {
        let from = head * self.shape.head_width();
        let place = self.part(rows, from, rows.words.saturating_sub(from));
        Rows::new(place, self.shape.width).each(length * self.shape.width)
    }
}

impl<M: Machine> Engine for Device<M> {
    type Buffer = Buffer;

    fn resize(&mut self, buffer: &mut Buffer, values: usize) {
        if values > buffer.held.words {
            let old = std::mem::take(buffer).held;
            self.run(|machine| {
                if old.words > 0 {
                    machine.release(old)?;
                }
                buffer.held = machine.reserve(values)?;
                Ok(())
            });
        }
        buffer.place = self.part(buffer.held, 0, values);
    }

    fn clear(&mut self, buffer: &mut Buffer) {
        let values = buffer.place.words;
        self.each("fill_zero", values, &[(buffer.place, values)], &[]);
    }

    fn take(&mut self, tokens: Tokens<'_>) {
        let ids = tokens.inputs.iter().chain(tokens.targets);
        if ids.copied().any(|id| usize::from(id) >= self.shape.vocabulary) {
            self.run(|_| Err(MachineError::Bounds { call: "take" }));
        }
        let inputs: Vec<u32> = tokens.inputs.iter().map(|id| u32::from(*id)).collect();
        let targets: Vec<u32> = tokens.targets.iter().map(|id| u32::from(*id)).collect();
        let mut order: Vec<u32> = (0_u32..).take(inputs.len()).collect();
        order.sort_by_key(|row| tokens.inputs[*row as usize]);
        let mut starts = Vec::new();
        let mut before = None;
        for (at, row) in (0_u32..).zip(&order) {
            let id = tokens.inputs[*row as usize];
            if before.replace(id) != Some(id) {
                starts.push(at);
            }
        }
        self.distinct = starts.len();
        starts.push(u32::try_from(order.len()).unwrap_or(u32::MAX));
        for (at, ids) in [inputs, targets, order, starts].iter().enumerate() {
            self.upload_ids(at, ids);
        }
    }

    fn embed(&mut self, x: &mut Buffer, embedding: Part<'_, Buffer>, tokens: Tokens<'_>) {
        let (rows, d) = (tokens.inputs.len(), self.shape.width);
        let embedding = self.tensor(embedding);
        let places = [
            (x.place, rows * d),
            (embedding, self.shape.vocabulary * d),
            (self.ids[0].place, rows),
        ];
        self.each("embed", rows * d, &places, &[size(d)]);
    }

    fn embed_back(&mut self, dx: &Buffer, (to, range): PartMut<'_, Buffer>, tokens: Tokens<'_>) {
        let (rows, d) = (tokens.inputs.len(), self.shape.width);
        let to = self.tensor((to, range));
        let places = [
            (to, self.shape.vocabulary * d),
            (dx.place, rows * d),
            (self.ids[0].place, rows),
            (self.ids[2].place, rows),
            (self.ids[3].place, self.distinct + 1),
        ];
        self.blocks("embed_back", self.distinct, &places, &[size(d)]);
    }

    fn normalise(&mut self, norm: &mut Norm<Buffer>, x: &Buffer, gain: Part<'_, Buffer>) {
        let (d, gain) = (self.shape.width, self.tensor(gain));
        let (rows, values) = (norm.rows, norm.rows * d);
        let places = [
            (norm.x.place, values),
            (norm.y.place, values),
            (norm.scales.place, rows),
            (x.place, values),
            (gain, d),
        ];
        let rest = [size(d), Arg::Number(NORM_EPSILON as f32)];
        self.blocks("normalise", rows, &places, &rest);
    }

    fn normalise_back(
        &mut self,
        norm: &Norm<Buffer>,
        gain: Part<'_, Buffer>,
        dy: &Buffer,
        (dx, (to, range)): (&mut Buffer, PartMut<'_, Buffer>),
    ) {
        let (d, gain) = (self.shape.width, self.tensor(gain));
        let (rows, values) = (norm.rows, norm.rows * d);
        let (x, scales) = ((norm.x.place, values), (norm.scales.place, rows));
        let places = [(dx.place, values), x, scales, (gain, d), (dy.place, values)];
        self.blocks("normalise_back", rows, &places, &[size(d)]);
        let count = rows.div_ceil(GAIN_ROWS);
        let parts = self.room(|device| &mut device.parts, count * d);
        let places = [(parts, count * d), x, scales, (dy.place, values)];
        self.blocks(
            "gain_back",
            count,
            &places,
            &[size(rows), size(GAIN_ROWS), size(d)],
        );
        let to = self.tensor((to, range));
        let threads = self.threads();
        let places = [(to, d), (parts, count * d)];
        self.blocks("add_parts", d.div_ceil(threads), &places, &[size(count), size(d)]);
    }

    fn linear(&mut self, sizes: Sizes, (to, old): (&mut Buffer, Old), x: &Buffer, w: Part<'_, Buffer>) {
        let Sizes {
            rows,
            outputs,
            inputs,
        } = sizes;
        let w = Rows::new(self.tensor(w), inputs).transposed();
        let to = (Rows::new(to.place, outputs), old);
        self.product([rows, outputs, inputs, 1], to, Rows::new(x.place, inputs), w);
    }

    fn weight_gradient(&mut self, sizes: Sizes, (to, range): PartMut<'_, Buffer>, dy: &Buffer, x: &Buffer) {
        let Sizes {
            rows,
            outputs,
            inputs,
        } = sizes;
        let to = (Rows::new(self.tensor((to, range)), inputs), Old::Kept);
        let dy = Rows::new(dy.place, outputs).transposed();
        self.product([outputs, inputs, rows, 1], to, dy, Rows::new(x.place, inputs));
    }

    fn input_gradient(&mut self, sizes: Sizes, dx: &mut Buffer, dy: &Buffer, w: Part<'_, Buffer>) {
        let Sizes {
            rows,
            outputs,
            inputs,
        } = sizes;
        let w = Rows::new(self.tensor(w), inputs);
        let to = (Rows::new(dx.place, inputs), Old::Dropped);
        self.product([rows, inputs, outputs, 1], to, Rows::new(dy.place, outputs), w);
    }

    fn attend(&mut self, attended: &mut Attended<Buffer>, to: &mut Buffer, length: usize) {
        let (qkv, scores) = (attended.qkv.place, attended.probabilities.place);
        let (heads, width) = (self.shape.heads, self.shape.head_width());
        let sequences = qkv.words / (3 * self.shape.width * length);
        self.rotate(qkv, length, 1.0);
        for head in 0..heads {
            let (q, k) = (self.heads(qkv, length, 0, head), self.heads(qkv, length, 1, head));
            let to = (self.of_head(scores, length, head), Old::Dropped);
            self.product([length, length, width, sequences], to, q, k.transposed());
        }
        let rows = sequences * heads * length;
        self.blocks(
            "softmax_prefix",
            rows,
            &[(scores, rows * length)],
            &[size(length)],
        );
        for head in 0..heads {
            let (p, v) = (
                self.of_head(scores, length, head),
                self.heads(qkv, length, 2, head),
            );
            let to = (self.columns(to.place, length, head), Old::Dropped);
            self.product([length, width, length, sequences], to, p, v);
        }
    }

    fn attend_back(&mut self, attended: &Attended<Buffer>, dy: &Buffer, dqkv: &mut Buffer, length: usize) {
        let (qkv, probabilities) = (attended.qkv.place, attended.probabilities.place);
        let (heads, width) = (self.shape.heads, self.shape.head_width());
        let sequences = qkv.words / (3 * self.shape.width * length);
        let rows = sequences * heads * length;
        let scores = self.room(|device| &mut device.scores, rows * length);
        for head in 0..heads {
            let dy = self.columns(dy.place, length, head);
            let p = self.of_head(probabilities, length, head);
            let to = (self.heads(dqkv.place, length, 2, head), Old::Dropped);
            self.product([length, width, length, sequences], to, p.transposed(), dy);
            let v = self.heads(qkv, length, 2, head);
            let to = (self.of_head(scores, length, head), Old::Dropped);
            self.product([length, length, width, sequences], to, dy, v.transposed());
        }
        let places = [(scores, rows * length), (probabilities, rows * length)];
        self.blocks("softmax_back", rows, &places, &[size(length)]);
        for head in 0..heads {
            let d = self.of_head(scores, length, head);
            let (q, k) = (self.heads(qkv, length, 0, head), self.heads(qkv, length, 1, head));
            let to = (self.heads(dqkv.place, length, 0, head), Old::Dropped);
            self.product([length, width, length, sequences], to, d, k);
            let to = (self.heads(dqkv.place, length, 1, head), Old::Dropped);
            self.product([length, width, length, sequences], to, d.transposed(), q);
        }
        self.rotate(dqkv.place, length, -1.0);
    }

    fn gate(&mut self, ac: &Buffer, to: &mut Buffer, hidden: usize) {
        let values = to.place.words;
        let places = [(to.place, values), (ac.place, 2 * values)];
        self.each("gate", values, &places, &[size(hidden)]);
    }

    fn gate_back(&mut self, ac: &mut Buffer, dy: &Buffer, hidden: usize) {
        let values = dy.place.words;
        let places = [(ac.place, 2 * values), (dy.place, values)];
        self.each("gate_back", values, &places, &[size(hidden)]);
    }

    fn head(
        &mut self,
        (rows, losses): (&Buffer, &mut Buffer),
        tokens: Tokens<'_>,
        embedding: Part<'_, Buffer>,
        mut gradient: Option<HeadGradient<'_, Buffer>>,
    ) {
        let (d, vocabulary, all) = (self.shape.width, self.shape.vocabulary, tokens.inputs.len());
        let weights = Rows::new(self.tensor(embedding), d);
        let weight = gradient.as_ref().map_or(0.0, |gradient| gradient.weight as f32);
        let step = vocabulary.next_multiple_of(LOGITS_ALIGN);
        for from in (0..all).step_by(self.chunk_rows) {
            let count = self.chunk_rows.min(all - from);
            let place = self.room(|device| &mut device.logits, count * step);
            let logits = Rows::new(place, step);
            let x = Rows::new(self.part(rows.place, from * d, count * d), d);
            let to = (logits, Old::Dropped);
            self.product([count, vocabulary, d, 1], to, x, weights.transposed());
            let places = [
                (place, count * step),
                (self.part(losses.place, from, count), count),
                (self.part(self.ids[1].place, from, count), count),
            ];
            let rest = [size(vocabulary), size(step), Arg::Number(weight)];
            self.blocks("cross_entropy", count, &places, &rest);
            if let Some(gradient) = &mut gradient {
                let to = self.part(gradient.rows.place, from * d, count * d);
                let to = (Rows::new(to, d), Old::Dropped);
                self.product([count, d, vocabulary, 1], to, logits, weights);
                let to = self.tensor((&*gradient.embedding.0, gradient.embedding.1));
                let to = (Rows::new(to, d), Old::Kept);
                self.product([vocabulary, d, count, 1], to, logits.transposed(), x);
            }
        }
    }
}
