"""The TOML file of a study: its syntax, its paths, and the template."""

import os
import re
import tomllib

import pytest

from tangermeme_creme.study.spec import SpecError, check_spec, read_spec, spec_from_dict, spec_to_dict, study_template

STUDY = """
[model]
adapter = "borzoi"
weights = ["replicate", "johahi/borzoi-replicate-0", "./missing", "~/missing"]
tracks = ["K562"]
"""
LOCI = """
[loci]
fasta = "genome/hg38.fa"
tss = "/data/genes.gtf"
genes = ["GATA1"]
"""


def write(folder, text):
    path = folder / "study.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_paths_start_in_the_folder_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "study" / "replicate").mkdir(parents=True)
    monkeypatch.setenv("HOME", "/home/me")
    text = STUDY + LOCI + '[annotation]\nrepeats = "~/rmsk.txt"\n[annotation.bigwig]\nDNase = "../d.bw"\n'
    text += 'web = "https://example.org/d.bw"\n[annotation.bed]\ncCRE = "c.bed"\n[annotation.gene_lists]\ng = "g.txt"\n'
    write(tmp_path / "study", text)
    monkeypatch.chdir(tmp_path)
    spec = read_spec("study/study.toml")
    here = f"{tmp_path}/study"
    assert spec.out == f"{here}/creme_study"
    assert (spec.loci.fasta, spec.loci.tss, spec.loci.genes) == (
        f"{here}/genome/hg38.fa",
        "/data/genes.gtf",
        ("GATA1",),
    )
    assert spec.model.weights == (
        f"{here}/replicate",
        "johahi/borzoi-replicate-0",
        f"{here}/missing",
        "/home/me/missing",
    )
    assert spec.annotation.bigwig == {"DNase": f"{tmp_path}/d.bw", "web": "https://example.org/d.bw"}
    assert spec.annotation.repeats == "/home/me/rmsk.txt"
    assert spec.annotation.bed == {"cCRE": f"{here}/c.bed"} and spec.annotation.gene_lists == {"g": f"{here}/g.txt"}


def test_paths_of_windows_and_one_folder_of_weights(tmp_path):
    (tmp_path / "w").mkdir()
    text = 'out = "/results"\n' + STUDY.replace('["replicate"', '"w" #') + '[windows]\nfile = "x.npy"\nloci = "x.tsv"\n'
    spec = read_spec(write(tmp_path, text))
    assert (spec.out, spec.model.weights) == ("/results", f"{tmp_path}/w")
    assert (spec.windows.file, spec.windows.loci) == (f"{tmp_path}/x.npy", f"{tmp_path}/x.tsv")


def test_a_file_of_genes_is_a_path_and_names_are_not(tmp_path):
    spec = read_spec(write(tmp_path, STUDY + LOCI.replace('["GATA1"]', '"genes.txt"')))
    assert spec.loci.genes == f"{tmp_path}/genes.txt"


def test_without_a_folder_paths_stay_as_they_are():
    spec = spec_from_dict(tomllib.loads(STUDY + LOCI))
    assert spec.out == "creme_study" and spec.loci.fasta == "genome/hg38.fa"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 0\n[model\n", r"a study must be TOML; got .*study\.toml: Expected .* \(at line 2, column 7\)"),
        ("seed = 0\nout = [", r"a study must be TOML; got .*study\.toml: .*at line 2, the end of the file"),
        (b"seed = 0 # \xff", r"a study must be TOML in UTF-8; got .*study\.toml: .*0xff"),
    ],
)
def test_what_is_no_toml_is_refused_with_file_and_line(tmp_path, text, message):
    with pytest.raises(SpecError, match=message):
        read_spec(write(tmp_path, text))


def test_an_error_in_a_file_names_the_file(tmp_path):
    path = write(tmp_path, STUDY + "[tests.necessity]\nn = 0\n")
    with pytest.raises(SpecError, match=r"tests\.necessity\.n must be a whole number, 1 or more; got 0") as caught:
        read_spec(path)
    assert str(path) in caught.value.__notes__[0]


def test_a_date_is_no_argument(tmp_path):
    with pytest.raises(SpecError, match=r"model\.arguments\.when must be a string, .*; got datetime\.date"):
        read_spec(write(tmp_path, STUDY + "arguments = { when = 2024-01-01 }\n"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.toml"):
        read_spec(tmp_path / "missing.toml")


def test_a_file_of_windows_notepad_is_read(tmp_path):
    assert read_spec(write(tmp_path, b"\xef\xbb\xbf" + (STUDY + LOCI).replace("\n", "\r\n").encode())).seed == 0


def test_the_template_is_a_study_of_defaults(tmp_path):
    spec = read_spec(write(tmp_path, study_template()))
    check_spec(spec)
    given = {
        "model": {"adapter": "enformer", "tracks": {"K562": 5111}},
        "loci": {"fasta": "hg38.fa", "tss": "gencode.gtf.gz"},
    }
    assert spec == spec_from_dict(given, tmp_path)


def keys(content, path=""):
    for name, value in content.items():
        at = f"{path}.{name}" if path else name
        sections = isinstance(value, dict) and at.rpartition(".")[2] not in ("tracks", "arguments")
        if sections and at not in ("annotation.bigwig", "annotation.bed", "annotation.gene_lists"):
            yield from keys(value, at)
        else:
            yield at


def test_the_template_has_every_key_and_each_example_is_taken():
    text = re.sub(r"^# (\[.*\]|[a-z_]+ = .*)$", r"\1", study_template(), flags=re.MULTILINE)
    mapping = tomllib.loads(text)
    assert set(keys(mapping)) == set(keys(spec_to_dict(spec_from_dict(mapping))))


def test_the_template_is_readable():
    lines = study_template().splitlines()
    assert max(map(len, lines)) <= 120 and not any(line.endswith(" ") for line in lines)
    assert "tangermeme-creme run study.toml --dry-run" in study_template() and os.sep + "work" not in study_template()
