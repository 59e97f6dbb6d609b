// The source of the libraries that exist for their precompiled headers.
