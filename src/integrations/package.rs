//! A package: files in a ZIP archive whose bytes depend on the files alone.

use std::io::{Cursor, Write as _};

use thiserror::Error;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A package as it is handed out.
#[derive(Debug)]
pub struct Package {
    /// What it is saved as.
    pub file_name: String,
    /// A ZIP archive.
    pub bytes: Vec<u8>,
}

/// A package could not be put together. Nothing that a caller chooses leads here.
#[derive(Debug, Error)]
pub enum PackageError {
    /// A file of the source is not the JSON that it should be.
    #[error("a file of the package is not as it should be")]
    Json(#[from] serde_json::Error),
    /// The archive could not be written.
    #[error("the package could not be put together")]
    Zip(#[from] zip::result::ZipError),
}

/// Packs files, which are (path, content), in the order given. Nothing is compressed: the packages
/// are small, and a compressor's next version would change their bytes.
pub(super) fn pack(files: &[(&str, &[u8])]) -> Result<Vec<u8>, PackageError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        archive.start_file(*path, options)?;
        archive
            .write_all(content)
            .map_err(zip::result::ZipError::Io)?;
    }
    Ok(archive.finish()?.into_inner())
}
