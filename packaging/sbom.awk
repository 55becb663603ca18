# Writes CycloneDX, for sbom.sh: reads Cargo.lock, `cargo tree` and the list of Debian packages.

function quoted(text) { gsub(/["\\]/, "\\\\&", text); return "\"" text "\"" }
function purl(kind, name, version) { gsub(/\+/, "%2B", version); return "pkg:" kind "/" name "@" version }

function component(type, reference, name, version, licence, hash,    text) {
    # What older manifests have in the place of OR.
    gsub(/ *\/ */, " OR ", licence)
    text = "{\"type\":" quoted(type) ",\"bom-ref\":" quoted(reference) ",\"name\":" quoted(name) ",\"version\":" quoted(version)
    if (licence != "") text = text ",\"licenses\":[{\"expression\":" quoted(licence) "}]"
    if (hash != "") text = text ",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":" quoted(hash) "}]"
    return text ",\"purl\":" quoted(reference)
}

function add(reference, text) {
    if (reference in known) return
    known[reference] = 1
    order[++count] = reference
    components = components (components == "" ? "" : ",\n") text "}"
}

function depends(on, reference) {
    if ((on, reference) in edges) return
    edges[on, reference] = 1
    needed[on] = needed[on] (needed[on] == "" ? "" : ",") quoted(reference)
}

FNR == 1 { file++ }

# Cargo.lock: the checksum of each crate.
file == 1 && /^name = / { split($0, part, "\""); name = part[2] }
file == 1 && /^version = / { split($0, part, "\""); version = part[2] }
file == 1 && /^checksum = / { split($0, part, "\""); checksums[name, version] = part[2] }

# cargo tree: "2|bytes v1.12.1|MIT", with the depth. What has been seen before ends with "(*)".
file == 2 {
    split($2, crate, " ")
    sub(/^v/, "", crate[2])
    sub(/ \(\*\)$/, "", $3)
    reference = purl("cargo", crate[1], crate[2])
    above[$1] = reference
    if ($1 == 0) {
        main = reference
        itself = component("application", reference, crate[1], crate[2], $3) ",\"properties\":[{\"name\":\"revision\",\"value\":" quoted(revision) "}]}"
        next
    }
    add(reference, component("library", reference, crate[1], crate[2], $3, checksums[crate[1], crate[2]]))
    depends(above[$1 - 1], reference)
}

# Debian: "libc6-dev|2.36-9|amd64|debian-12".
file == 3 {
    reference = purl("deb/debian", $1, $2) "?arch=" $3 "&distro=" $4
    licence = $1 ~ /^libc6/ ? "LGPL-2.1-or-later" : $1 == "ca-certificates" ? "MPL-2.0" : ""
    add(reference, component("library", reference, $1, $2, licence))
    depends(main, reference)
}

END {
    if (main == "") exit 1
    reference = purl("generic", "rust-std", rust)
    add(reference, component("library", reference, "rust-std", rust, "MIT OR Apache-2.0"))
    depends(main, reference)
    print "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,"
    print "\"metadata\":{\"timestamp\":" quoted(time) ",\"component\":" itself "},"
    print "\"components\":[\n" components "\n],"
    print "\"dependencies\":[\n{\"ref\":" quoted(main) ",\"dependsOn\":[" needed[main] "]}"
    for (i = 1; i <= count; i++) print ",{\"ref\":" quoted(order[i]) ",\"dependsOn\":[" needed[order[i]] "]}"
    print "]}"
}
