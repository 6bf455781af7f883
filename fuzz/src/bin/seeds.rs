//! Writes every decoder's samples into `corpus/`, for the fuzzer to begin from.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for decoder in pegcount_decoder_tests::decoders() {
        let dir = corpus.join(decoder.name);
        fs::create_dir_all(&dir)?;
        for (index, sample) in (decoder.samples)().iter().enumerate() {
            fs::write(dir.join(format!("sample-{index}")), sample)?;
        }
    }
    Ok(())
}
