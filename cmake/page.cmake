# xgrad_page(NAME HTML): makes generated/NAME.hpp, which holds a page that needs nothing but a browser: HTML with the style and the charts of
# all pages in it, and a place {data} for what they show.
set(XGRAD_PAGE_DIR ${CMAKE_CURRENT_SOURCE_DIR}/train/page)
function(xgrad_page name html)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${html} ${XGRAD_PAGE_DIR}/style.css ${XGRAD_PAGE_DIR}/chart.js)
  file(READ ${html} content)
  file(READ ${XGRAD_PAGE_DIR}/style.css style)
  file(READ ${XGRAD_PAGE_DIR}/chart.js chart)
  string(REPLACE "{style}" "${style}" content "${content}")
  string(REPLACE "{chart}" "${chart}" content "${content}")
  configure_file(${XGRAD_PAGE_DIR}/page.hpp.in generated/${name}.hpp @ONLY)
endfunction()
