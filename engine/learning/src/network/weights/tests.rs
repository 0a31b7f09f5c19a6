//! Files that are written and read back, and those that do not fit.

use super::*;
use crate::fuzzed as fuzz;

use crate::network::{Backbone, Normalisation, ReidSpec};
use crate::network::{Network, NetworkSpec};
use offbeat_kernel::{Purpose, SeedTree};

fn mlp(hidden: usize) -> Network {
    let spec = NetworkSpec::Mlp { hidden: vec![hidden] };
    Network::new(&spec, &[7], 3).expect("a valid network")
}

#[test]
fn what_was_saved_is_loaded_bit_for_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let network = mlp(5);
    let params = network.init(&mut SeedTree::new(3).stream(Purpose::ModelInit, 0, 0));
    save_weights(&path, &params, network.layout()).expect("written");
    assert_eq!(load_weights(&path, network.layout()).expect("read"), params);
    let files = std::fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(files, 1, "no temporary file stays");
}

#[test]
fn errors_name_the_file_and_the_tensor() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let (small, large) = (mlp(5), mlp(6));
    save_weights(&path, &Flat::zeros(small.layout().len()), small.layout()).expect("written");
    let wrong = load_weights(&path, large.layout()).expect_err("another shape").to_string();
    assert!(wrong.contains("model.safetensors") && wrong.contains("f1.weight"), "{wrong}");
    assert!(wrong.contains("[6, 7]") && wrong.contains("[5, 7]"), "{wrong}");
    let softmax = Network::new(&NetworkSpec::Softmax, &[7], 3).expect("valid");
    let missing = load_weights(&path, softmax.layout()).expect_err("no f").to_string();
    assert!(missing.contains("f.weight") && missing.contains("f2.bias"), "{missing}");
    std::fs::write(&path, b"not a header").expect("written");
    assert!(matches!(load_weights(&path, small.layout()), Err(LearnError::Malformed { .. })));
    let absent = folder.path().join("absent");
    assert!(matches!(load_weights(&absent, small.layout()), Err(LearnError::Io { .. })));
    let short = save_weights(&path, &Flat::zeros(1), small.layout());
    assert!(matches!(short, Err(LearnError::Invalid(_))));
}

/// Mutations of a small file, among them of the pickled program inside.
#[test]
fn ten_million_unexpected_bytes_of_pytorch_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("w.pt");
    let network = Network::new(&NetworkSpec::Softmax, &[2], 2).expect("valid");
    let tensors: [(&str, &[usize], Vec<f32>); 2] =
        [("f.weight", &[2, 2], vec![0.5; 4]), ("f.bias", &[2], vec![1.0; 2])];
    fuzz::fuzz("PyTorch weights", &[torch_file(&tensors)], fuzz::TEN_MILLION, |input| {
        std::fs::write(&path, input).expect("written");
        load_weights(&path, network.layout()).is_ok()
    });
}

/// A file as `torch.save` writes it: a zip archive without compression that holds a pickled dictionary
/// and one entry for each tensor's numbers.
fn torch_file(tensors: &[(&str, &[usize], Vec<f32>)]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    let text = |pickle: &mut Vec<u8>, text: &str| {
        pickle.push(b'X');
        pickle.extend((text.len() as u32).to_le_bytes());
        pickle.extend(text.as_bytes());
    };
    let number = |pickle: &mut Vec<u8>, number: usize| {
        pickle.push(b'J');
        pickle.extend((number as i32).to_le_bytes());
    };
    for (index, (name, shape, values)) in tensors.iter().enumerate() {
        text(&mut pickle, name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &index.to_string());
        text(&mut pickle, "cpu");
        number(&mut pickle, values.len());
        pickle.extend(b"tQ");
        number(&mut pickle, 0);
        pickle.push(b'(');
        shape.iter().for_each(|side| number(&mut pickle, *side));
        pickle.extend(b"t(");
        for place in 0..shape.len() {
            number(&mut pickle, shape[place + 1..].iter().product());
        }
        pickle.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    let mut entries = vec![("archive/data.pkl".to_string(), pickle)];
    for (index, (.., values)) in tensors.iter().enumerate() {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        entries.push((format!("archive/data/{index}"), bytes));
    }
    entries.push(("archive/version".into(), b"3\n".to_vec()));
    zip(&entries)
}

fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let start = file.len() as u32;
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(content);
    }
    let (start, count) = (file.len() as u32, entries.len() as u16);
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

fn reid(classes: usize) -> Network {
    let backbone = Backbone::Resnet { depth: 8, width: 2, norm: Normalisation::Batch };
    let spec = ReidSpec { bottleneck: 5, ..ReidSpec::new(backbone) };
    Network::new(&NetworkSpec::Reid(spec), &[3, 8, 8], classes).expect("a valid network")
}

/// A file as torchvision ships them: names without `backbone.`, a head of its own, nothing above.
#[test]
fn a_backbone_of_pytorch_is_loaded_and_the_rest_stays_as_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backbone.pth");
    let network = reid(4);
    let stream = |seed| SeedTree::new(seed).stream(Purpose::ModelInit, 0, 0);
    let (theirs, drawn) = (network.init(&mut stream(1)), network.init(&mut stream(2)));
    let theirs = theirs.host();
    for place in ["", "state_dict."] {
        let of_backbone = |entry: &&Entry| entry.name.starts_with(PREFIX);
        let entries: Vec<_> = network.layout().entries().iter().filter(of_backbone).collect();
        let names: Vec<String> =
            entries.iter().map(|entry| entry.name.replace("backbone.", place)).collect();
        let mut tensors: Vec<(&str, &[usize], Vec<f32>)> = Vec::new();
        for (name, entry) in names.iter().zip(&entries) {
            tensors.push((name, &entry.shape, theirs[entry.range()].to_vec()));
        }
        tensors.push(("fc.weight", &[2, 3], vec![7.0; 6]));
        std::fs::write(&path, torch_file(&tensors)).expect("written");
        let loaded = load_start(&path, &network, &drawn).expect("read");
        for entry in network.layout().entries() {
            let source = if of_backbone(&entry) { &theirs } else { &drawn.host() };
            assert_eq!(loaded.host()[entry.range()], source[entry.range()], "{}", entry.name);
        }
        tensors.remove(3);
        std::fs::write(&path, torch_file(&tensors)).expect("written");
        let error = load_start(&path, &network, &drawn).expect_err("one is missing").to_string();
        assert!(error.contains(&entries[3].name) && error.contains("more"), "{error}");
        tensors[0].1 = &[54];
        std::fs::write(&path, torch_file(&tensors)).expect("written");
        let error = load_start(&path, &network, &drawn).expect_err("another shape").to_string();
        assert!(error.contains("backbone.conv1.weight") && error.contains("[54]"), "{error}");
    }
    std::fs::write(&path, b"nothing").expect("written");
    assert!(load_start(&path, &network, &drawn).is_err());
    let absent = folder.path().join("absent.pt");
    assert!(matches!(load_start(&absent, &network, &drawn), Err(LearnError::Io { .. })));
}

#[test]
fn a_head_of_another_size_stays_as_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let stream = |seed| SeedTree::new(seed).stream(Purpose::ModelInit, 0, 0);
    let (theirs, own) = (reid(4), reid(6));
    let (saved, drawn) = (theirs.init(&mut stream(1)), own.init(&mut stream(2)));
    save_weights(&path, &saved, theirs.layout()).expect("written");
    let body = own.layout().body();
    let loaded = load_start(&path, &own, &drawn).expect("read");
    assert_eq!(loaded.slice(body.clone()), saved.slice(body.clone()));
    assert_eq!(loaded.slice(body.end..own.layout().len()), drawn.slice(body.end..drawn.len()));
    assert_eq!(load_start(&path, &theirs, &saved).expect("read"), saved);
    assert!(load_weights(&path, own.layout()).is_err());
}
