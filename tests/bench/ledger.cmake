# What a hold and a settlement cost: ledger_bench [--relaxed] [--spread] [CALLS]
add_executable(ledger_bench ${CMAKE_CURRENT_LIST_DIR}/ledger_bench.c)
target_link_libraries(ledger_bench PRIVATE anchorage_ledger)
