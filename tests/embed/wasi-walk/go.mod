module wasi-walk

go 1.19
