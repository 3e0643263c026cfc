# alexnet_embed_file(TARGET SYMBOL FILE): FILE's bytes become part of TARGET, 64-byte aligned and read-only, from
# SYMBOL_begin to SYMBOL_end. The assembler copies them as they are: no array of numbers, no time in the compiler.
function(alexnet_embed_file target symbol file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S)
  # A file that is not there embeds nothing: the default model is made by a build that lacks it.
  set(include "")
  if(EXISTS ${file})
    set(include ".incbin \"${file}\"")
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES OBJECT_DEPENDS ${file})
  endif()
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
.section .rodata.@symbol@, "a", %progbits
.balign 64
.global @symbol@_begin
.hidden @symbol@_begin
@symbol@_begin:
@include@
.global @symbol@_end
.hidden @symbol@_end
@symbol@_end:
.byte 0
.section .note.GNU-stack, "", %progbits
]])
  target_sources(${target} PRIVATE ${source})
endfunction()
