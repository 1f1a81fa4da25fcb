#pragma once
#define SZOMB 5
#define P_EXEC 0x4000
