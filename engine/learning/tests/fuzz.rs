//! Ten million unexpected bytes for every format of data, weights and updates that is read.

#[path = "../../kernel/tests/common/fuzz.rs"]
mod common;

use common::{TEN_MILLION, fuzz};
use flate2::Compression;
use flate2::write::GzEncoder;
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::codec::{Codebook, Codec, TopK, Uniform};
use offbeat_learning::data::cifar::{read_cifar10, read_cifar100};
use offbeat_learning::data::partition::FromFile;
use offbeat_learning::data::{Cifar100Labels, CsvSpec, Dataset, idx};
use offbeat_learning::network::{Network, NetworkSpec, load_weights, save_weights};
use offbeat_learning::reid::Size;
use offbeat_learning::reid::folder::load_part;
use std::fs;
use std::io::Write;
use std::path::Path;

#[test]
fn codecs() {
    let layers = [5, 1, 20, 14];
    let mut stream = SeedTree::new(1).stream(Purpose::Codec, 0, 0);
    let values: Vec<f32> = (0..40).map(|n| ((n * 37 % 23) as f32 - 11.0) / 7.0).collect();
    for codec in [
        Codec::Float32,
        Codec::Float16,
        Codec::Uniform(Uniform::default()),
        Codec::TopK(TopK::default()),
        Codec::Codebook(Codebook::default()),
    ] {
        let valid = [
            codec.encode(&values, &layers, &mut stream).expect("finite"),
            codec.encode(&[0.0; 40], &layers, &mut stream).expect("finite"),
        ];
        let name = format!("{codec:?}");
        fuzz(&name, &valid, TEN_MILLION, |input| match codec.decode(input, &layers) {
            Ok(values) => {
                assert_eq!(values.len(), 40, "as many numbers as the layers have");
                true
            }
            Err(_) => false,
        });
    }
}

#[test]
fn idx_files() {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2][..], &[7; 12]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 4][..], &[1, 2, 3, 0]].concat();
    let name = Path::new("x-ubyte");
    fuzz("IDX", &[images, labels], TEN_MILLION, |input| idx::parse(name, input.to_vec()).is_ok());
}

/// Gives `read` a file with the input.
fn by_file(name: &str, file: &Path, valid: &[Vec<u8>], read: impl Fn(&Path) -> bool) {
    fuzz(name, valid, TEN_MILLION, |input| {
        fs::write(file, input).expect("writable");
        read(file)
    });
}

/// Records of the binary version: labels, then 3072 bytes; as they are, and gzipped.
fn cifar(name: &str, files: &[&str], labels: usize, read: impl Fn(&Path) -> Option<Dataset>) {
    let record =
        |n: u8| [vec![n % 10; labels], (0..3072).map(|at| (at as u8) ^ n).collect()].concat();
    let gzipped = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).expect("in memory");
        gzip.finish().expect("in memory")
    };
    let folder = tempfile::tempdir().expect("a temporary directory");
    for file in files {
        fs::write(folder.path().join(file), record(1)).expect("writable");
    }
    let valid = [record(3), [record(4), record(5)].concat(), gzipped(&record(6))];
    let file = folder.path().join(files[0]);
    by_file(name, &file, &valid, |_| match read(folder.path()) {
        Some(data) => {
            assert_eq!(data.features.len(), 3072 * data.labels.len(), "whole records");
            assert!(data.labels.iter().all(|label| (*label as usize) < data.classes));
            true
        }
        None => false,
    });
}

#[test]
fn cifar_files() {
    let ten = [
        "test_batch.bin",
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ];
    cifar("CIFAR-10", &ten, 1, |folder| read_cifar10(folder).ok().map(|split| split.test));
    for labels in [Cifar100Labels::Fine, Cifar100Labels::Coarse] {
        let read = |folder: &Path| read_cifar100(folder, labels).ok().map(|split| split.train);
        cifar(&format!("CIFAR-100, {labels:?}"), &["train.bin", "test.bin"], 2, read);
    }
}

#[test]
fn csv_files() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let long: String = (0..20).map(|n| format!("{n},0.{n},\"a {n}\",{}\n", n % 3)).collect();
    let short: String = (0..20).map(|n| format!("-{n}.5e1,{}\n", n % 3)).collect();
    let valid = [format!("id,x,word,label\n{long}"), format!("x,label\n{short}")];
    let spec = CsvSpec { categories: vec!["word".into()], ..CsvSpec::new("t.csv", None) };
    let plain = CsvSpec::new("t.csv", None);
    let bytes = valid.map(String::into_bytes);
    let file = folder.path().join("t.csv");
    by_file("CSV", &file, &bytes[..1], |_| spec.load(folder.path()).is_ok());
    by_file("plain CSV", &file, &bytes[1..], |_| plain.load(folder.path()).is_ok());
}

#[test]
fn weights() {
    let network = Network::new(&NetworkSpec::Mlp { hidden: vec![4] }, &[3], 2).expect("a network");
    let (layout, folder) = (network.layout(), tempfile::tempdir().expect("a temporary directory"));
    let drawn = network.init(&mut SeedTree::new(2).stream(Purpose::ModelInit, 0, 0));
    let file = folder.path().join("w.safetensors");
    save_weights(&file, &drawn, layout).expect("written");
    let valid = [fs::read(&file).expect("readable")];
    by_file("safetensors", &file, &valid, |path| load_weights(path, layout).is_ok());
}

#[test]
fn partition_files() {
    let file = FromFile::new("p.csv");
    let valid = [b"client,sample\n0,1\n1,0\n1,2\n0,3\n".to_vec(), b"0 1\n3 2\n".to_vec()];
    fuzz("partition", &valid, TEN_MILLION, |input| file.parse(input.to_vec(), 4, 2).is_ok());
}

fn pictures(format: image::ImageFormat, ending: &str) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join(format!("0002_c1s1_000451_03.{ending}"));
    let pixel = |x: u32, y: u32| image::Rgb([(x * 13) as u8, (y * 7) as u8, (x * y) as u8]);
    let mut valid = Vec::new();
    for (width, height) in [(8, 16), (5, 9)] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(width, height, pixel);
        picture.write_to(&mut bytes, format).expect("written");
        valid.push(bytes.into_inner());
    }
    let size = Size { width: 8, height: 16 };
    by_file(ending, &file, &valid, |_| load_part(folder.path(), size).is_ok());
}

#[test]
fn png_pictures() {
    pictures(image::ImageFormat::Png, "png");
}

#[test]
fn jpeg_pictures() {
    pictures(image::ImageFormat::Jpeg, "jpg");
}
