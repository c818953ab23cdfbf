// Plugins that work through something outside this program: another language's runtime,
// a web service, another database. They are known, so that a query that uses one is
// told why it cannot run rather than that the name is wrong.

#include "base/array.h"
#include "exec/plugin.h"

#define SERVICE(plugin_name, reason, help)                                                         \
    {                                                                                              \
        .name = plugin_name, .doc = help, .needs = reason                                          \
    }

static const PluginDef ROWS[] = {
    SERVICE("python", "a Python sandbox, which this program does not have",
            "Runs a Python script over the table."),
    SERVICE("r", "an R sandbox, which this program does not have",
            "Runs an R script over the table."),
    SERVICE("csharp", "a .NET sandbox, which this program does not have",
            "Runs a C# script over the table."),
    SERVICE("http_request", "a call to a web service, which queries must not make here",
            "Sends an HTTP GET request."),
    SERVICE("http_request_post", "a call to a web service, which queries must not make here",
            "Sends an HTTP POST request."),
    SERVICE("sql_request", "a connection to a SQL Server, which queries must not make here",
            "Runs a query in a SQL Server database."),
    SERVICE("mysql_request", "a connection to a MySQL server, which queries must not make here",
            "Runs a query in a MySQL database."),
    SERVICE("postgresql_request",
            "a connection to a PostgreSQL server, which queries must not make here",
            "Runs a query in a PostgreSQL database."),
    SERVICE("cosmosdb_sql_request",
            "a connection to Azure Cosmos DB, which queries must not make here",
            "Runs a query in a Cosmos DB container."),
    SERVICE("azure_digital_twins_query_request",
            "a connection to Azure Digital Twins, which queries must not make here",
            "Runs a query in an Azure Digital Twins instance."),
    SERVICE("dax_request",
            "a connection to a Power BI semantic model, which queries must not make here",
            "Runs a DAX query in a semantic model."),
    SERVICE("ai_embed_text", "an Azure OpenAI service, which queries must not call here",
            "Embeds text with a language model."),
    SERVICE("ai_embeddings", "an Azure OpenAI service, which queries must not call here",
            "Embeds text with a language model."),
    SERVICE("ai_chat_completion", "an Azure OpenAI service, which queries must not call here",
            "Answers chats with a language model."),
    SERVICE("ai_chat_completion_prompt",
            "an Azure OpenAI service, which queries must not call here",
            "Answers prompts with a language model."),
    SERVICE("execute_query", "a connection to another cluster, which queries must not make here",
            "Runs a query in another cluster."),
    SERVICE("execute_show_command",
            "a connection to another cluster, which queries must not make here",
            "Runs a .show command in a cluster."),
    SERVICE("infer_storage_schema",
            "a connection to a storage account, which queries must not make here",
            "Infers the schema of external files."),
    SERVICE("infer_storage_schema_with_suggestions",
            "a connection to a storage account, which queries must not make here",
            "Infers the schema of external files, with suggestions."),
    SERVICE("external_datatable", "rows that a client program sends along with its query",
            "Yields the rows the client sent."),
};

const PluginSet SERVICE_PLUGINS = {ROWS, COUNT_OF(ROWS)};
