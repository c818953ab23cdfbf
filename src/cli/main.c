// azimuth: what AI an organisation has on Azure, what is at risk, how to fix it.

#include "base/heap.h"
#include "cli/cli.h"
#include "version.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const CliCommand *const COMMANDS[] = {
    &CLI_COLLECT,  &CLI_IMPORT, &CLI_QUERY,    &CLI_ASSESS,    &CLI_ACCESS, &CLI_PATHS,
    &CLI_EXPOSURE, &CLI_POLICY, &CLI_CONTROLS, &CLI_CONTENT,   &CLI_DETECT, &CLI_TIMELINE,
    &CLI_EVIDENCE, &CLI_EXPORT, &CLI_STORE,    &CLI_FUNCTIONS, &CLI_HELP,
};
enum { COMMAND_COUNT = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

static void
print_usage(FILE *out)
{
    fputs("azimuth: what AI you have on Azure, what is at risk, and how to fix it\n\n"
          "usage: azimuth COMMAND [options]\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", COMMANDS[i]->name, COMMANDS[i]->help);
    fputs("\nazimuth COMMAND --help shows the options of a command, azimuth help NAME what a\n"
          "function, operator or table of the language is; azimuth --version the version.\n"
          "First steps: azimuth import --store DIR TENANT_DIR, then azimuth assess --store DIR\n",
          out);
}

int
main(int argc, char **argv)
{
    heap_prepare();
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_usage(stderr);
        return AZIMUTH_EXIT_ERROR;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("azimuth " AZIMUTH_VERSION);
        return AZIMUTH_EXIT_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return AZIMUTH_EXIT_OK;
    }
    Str names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = str_from(COMMANDS[i]->name);
        if (strcmp(argv[1], COMMANDS[i]->name) == 0)
            return COMMANDS[i]->run(argc - 1, argv + 1);
    }
    ptrdiff_t near = str_nearest(str_from(argv[1]), names, COMMAND_COUNT);
    if (near >= 0)
        cli_fail("there is no command '%s'; did you mean '%s'?", argv[1], COMMANDS[near]->name);
    else
        cli_fail("there is no command '%s'; see azimuth --help", argv[1]);
    return AZIMUTH_EXIT_ERROR;
}
