//! Where bytes come from: files, directories, globs, stdin, HTTP and S3 with range resume.
