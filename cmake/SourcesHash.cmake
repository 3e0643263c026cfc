# cmake -DFILES=A;B -DTO=FILE.cc -P: a hash of what the files hold, as a string in C++.
list(SORT FILES)
set(hashes "")
foreach(file IN LISTS FILES)
  file(SHA256 ${file} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 hash "${hashes}")
file(WRITE ${TO} "extern const char* const alexnet_runtime_sources;\nconst char* const alexnet_runtime_sources = \"${hash}\";\n")
